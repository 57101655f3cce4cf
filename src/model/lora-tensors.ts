import { quoteName } from "../format/safetensors-header.ts";
import { FormatError, UnsupportedError } from "../util/errors.ts";

/** The two factors of one adapted weight, as names in the adapter file. */
export interface LoraPair {
  /** [rank, in] */
  readonly a: string;
  /** [out, rank] */
  readonly b: string;
}

/** What an adapter does to each base weight, by the base weight's name. */
export interface LoraTensors {
  readonly pairs: ReadonlyMap<string, LoraPair>;
  /** Base weight to the adapter tensor that takes its place (`modules_to_save`). */
  readonly replacements: ReadonlyMap<string, string>;
}

const PREFIX = "base_model.model.";
/** `….lora_A.weight`, or with the adapter's name before `weight`. */
const FACTOR = /^(?<module>.+)\.lora_(?<factor>[AB])(?:\.[^.]+)?\.weight$/;
const OTHER_PARAMETER = /\.(?<kind>lora_[A-Za-z_]+)(?:\.|$)/;
/** PEFT wraps a replaced module and an adapted one; both wrappers may show in names. */
const WRAPPER = /\.(?:modules_to_save(?:\.[^.]+)?|base_layer)(?=\.[^.]+$)/;

/**
 * Sorts an adapter's tensor names by the base weight that they change. `isBaseWeight` tells the names of the base; `where` is the
 * adapter file. Throws FormatError naming a tensor that belongs to no base weight or lacks its other half, UnsupportedError for
 * parameters other than lora_A and lora_B (DoRA magnitudes, embeddings, biases).
 */
export function matchLoraTensors(
  names: Iterable<string>,
  isBaseWeight: (name: string) => boolean,
  where: string,
): LoraTensors {
  const factors = { A: new Map<string, string>(), B: new Map<string, string>() };
  const replacements = new Map<string, string>();
  for (const name of names) {
    const { module, factor } = FACTOR.exec(name)?.groups ?? {};
    const kind = factor === undefined ? OTHER_PARAMETER.exec(name)?.groups?.["kind"] : undefined;
    if (kind !== undefined) {
      throw new UnsupportedError(
        `${where}: tensor ${quoteName(name)}: this kind of adapter is not supported (${kind})`,
        {
          hint: "Merge the adapter with PEFT (merge_and_unload, save_pretrained) and name the merged folder.",
        },
      );
    }
    const full = factor === undefined ? name.replace(WRAPPER, "") : `${module}.weight`;
    const base = full.startsWith(PREFIX) ? full.slice(PREFIX.length) : full;
    if (!isBaseWeight(base)) throw unmatched(where, name, base);
    const group = factor === undefined ? replacements : factors[factor as "A" | "B"]; // by FACTOR
    const earlier = group.get(base);
    if (earlier !== undefined) {
      throw new FormatError(
        `${where}: ${quoteName(earlier)} and ${quoteName(name)} are for one weight`,
        { hint: "Save one adapter by itself." },
      );
    }
    group.set(base, name);
  }
  return { pairs: joinFactors(factors, replacements, where), replacements };
}

function joinFactors(
  { A, B }: Readonly<Record<"A" | "B", ReadonlyMap<string, string>>>,
  replacements: ReadonlyMap<string, string>,
  where: string,
): ReadonlyMap<string, LoraPair> {
  const pairs = new Map<string, LoraPair>();
  for (const base of new Set([...A.keys(), ...B.keys()])) {
    const [a, b] = [A.get(base), B.get(base)];
    if (a === undefined || b === undefined) {
      throw new FormatError(`${where}: ${quoteName(a ?? b ?? base)} lacks its other half`, {
        hint: "Download the adapter again.",
      });
    }
    if (replacements.has(base)) {
      throw new FormatError(
        `${where}: ${quoteName(a)} adapts ${quoteName(base)}, which the adapter replaces as well`,
        {
          hint: "Merge the adapter with PEFT and name the merged folder.",
        },
      );
    }
    pairs.set(base, { a, b });
  }
  return pairs;
}

function unmatched(where: string, name: string, base: string): FormatError {
  return new FormatError(
    `${where}: tensor ${quoteName(name)} belongs to ${quoteName(base)}, which the checkpoint lacks`,
    {
      hint: "Check that the adapter was trained on this checkpoint (a tied output layer cannot be adapted by itself).",
    },
  );
}
