import { quoteName } from "../format/safetensors-header.ts";
import { FormatError, UnsupportedError } from "../util/errors.ts";

/** The two factors of one adapted weight, as names in the adapter file. */
export interface LoraPair {
  /** [rank, in] */
  readonly a: string;
  /** [out, rank] */
  readonly b: string;
  /** The weight is an embedding table [V, D]: V is what goes in, D what comes out. */
  readonly isEmbedding: boolean;
}

/** What an adapter does to each base weight: names of its tensors, by the base weight's name. */
export interface LoraTensors {
  readonly pairs: ReadonlyMap<string, LoraPair>;
  /** DoRA: lengths [out] that the adapted weight's rows get. */
  readonly magnitudes: ReadonlyMap<string, string>;
  /** Tensors that take the base weight's place (`modules_to_save`, trained biases). */
  readonly replacements: ReadonlyMap<string, string>;
  /** Whole rows [n, D] that take the place of some rows (`trainable_token_indices`). */
  readonly rows: ReadonlyMap<string, string>;
  /** By base bias: what is added to it, times the scale of its module's factors (`lora_bias`). */
  readonly biases: ReadonlyMap<string, string>;
  /** Copies of adapted base weights, which PEFT stores beside the factors of embeddings and heads. */
  readonly baseCopies: ReadonlyMap<string, string>;
}

const PREFIX = "base_model.model.";
/** What stands behind a module's path; `NAME` is the adapter's name, which files mostly leave out. */
const ENDINGS: readonly { readonly kind: Kind; readonly ending: RegExp }[] = [
  { kind: "A", ending: /\.lora_A(?:\.[^.]+)?\.weight$/ },
  { kind: "B", ending: /\.lora_B(?:\.[^.]+)?\.weight$/ },
  { kind: "embeddingA", ending: /\.lora_embedding_A(?:\.[^.]+)?$/ },
  { kind: "embeddingB", ending: /\.lora_embedding_B(?:\.[^.]+)?$/ },
  { kind: "magnitudes", ending: /\.lora_magnitude_vector(?:\.[^.]+){0,2}$/ },
  { kind: "biases", ending: /\.lora_B(?:\.[^.]+)?\.bias$/ },
  { kind: "rows", ending: /\.token_adapter\.trainable_tokens_delta(?:\.[^.]+)?$/ },
  { kind: "baseCopies", ending: /\.base_layer\.weight$/ },
];
type Kind =
  | "A"
  | "B"
  | "embeddingA"
  | "embeddingB"
  | "magnitudes"
  | "biases"
  | "rows"
  | "baseCopies"
  | "replacements";
const OTHER_PARAMETER = /\.(?<kind>(?:lora|token|vera|dora)_[A-Za-z_]+)(?:\.|$)/;
/** PEFT wraps a replaced module and an adapted one; both wrappers may show in names. */
const WRAPPER = /\.(?:modules_to_save(?:\.[^.]+)?|base_layer)(?=\.[^.]+$)/;

/**
 * Sorts an adapter's tensor names by the base weight that they change. `baseWeight` gives a name of the base for a name of the adapter,
 * undefined where there is none; `where` is the adapter file. Throws FormatError naming a tensor that belongs to no base weight or lacks
 * its other half, UnsupportedError for parameters of other kinds.
 */
export function matchLoraTensors(
  names: Iterable<string>,
  baseWeight: (name: string) => string | undefined,
  where: string,
): LoraTensors {
  const found = Object.fromEntries(
    [...ENDINGS.map(({ kind }) => kind), "replacements"].map((kind) => [kind, new Map()]),
  ) as Record<Kind, Map<string, string>>; // one map a kind
  for (const name of names) {
    const { kind, weight } = readName(name, where);
    const path = weight.startsWith(PREFIX) ? weight.slice(PREFIX.length) : weight;
    const base = baseWeight(path);
    if (base === undefined) throw unmatched(where, name, kind, path);
    const earlier = found[kind].get(base);
    if (earlier !== undefined) {
      throw new FormatError(
        `${where}: ${quoteName(earlier)} and ${quoteName(name)} are for one weight`,
        { hint: "Save one adapter by itself." },
      );
    }
    found[kind].set(base, name);
  }
  const { A, B, embeddingA, embeddingB, ...rest } = found;
  const pairs = new Map([
    ...joinFactors(A, B, { isEmbedding: false, where }),
    ...joinFactors(embeddingA, embeddingB, { isEmbedding: true, where }),
  ]);
  const tensors = { ...rest, pairs };
  expectSeparate(tensors, where);
  return tensors;
}

/** What a tensor is, and the full name of the weight that it changes. */
function readName(name: string, where: string): { kind: Kind; weight: string } {
  const known = ENDINGS.find(({ ending }) => ending.test(name));
  if (known !== undefined) {
    const module = name.replace(known.ending, "");
    return { kind: known.kind, weight: `${module}.${known.kind === "biases" ? "bias" : "weight"}` };
  }
  const other = OTHER_PARAMETER.exec(name)?.groups?.["kind"];
  if (other === undefined) return { kind: "replacements", weight: name.replace(WRAPPER, "") };
  throw new UnsupportedError(
    `${where}: tensor ${quoteName(name)}: this kind of adapter is not supported (${other})`,
    {
      hint: "Merge the adapter with PEFT (merge_and_unload, save_pretrained) and name the merged folder.",
    },
  );
}

function* joinFactors(
  A: ReadonlyMap<string, string>,
  B: ReadonlyMap<string, string>,
  { isEmbedding, where }: { readonly isEmbedding: boolean; readonly where: string },
): Generator<[string, LoraPair]> {
  for (const base of new Set([...A.keys(), ...B.keys()])) {
    const [a, b] = [A.get(base), B.get(base)];
    if (a === undefined || b === undefined) {
      throw new FormatError(`${where}: ${quoteName(a ?? b ?? base)} lacks its other half`, {
        hint: "Download the adapter again.",
      });
    }
    yield [base, { a, b, isEmbedding }];
  }
}

/** No weight is changed in two ways, and what belongs to factors has them. */
function expectSeparate(tensors: LoraTensors, where: string): void {
  const { pairs, replacements, rows, magnitudes, baseCopies } = tensors;
  for (const [base, tensor] of [...replacements, ...rows]) {
    const pair = pairs.get(base);
    const isTwice = replacements.has(base) && rows.has(base);
    if (pair === undefined && !isTwice) continue;
    throw new FormatError(
      `${where}: ${quoteName(pair?.a ?? rows.get(base)!)} adapts ${quoteName(base)}, which ${quoteName(tensor)} replaces as well`,
      { hint: "Save one adapter by itself." },
    );
  }
  for (const [base, tensor] of [...magnitudes, ...baseCopies]) {
    if (pairs.has(base)) continue;
    throw new FormatError(
      `${where}: ${quoteName(tensor)} belongs to the factors of ${quoteName(base)}, which are not there`,
      { hint: "Download the adapter again." },
    );
  }
}

function unmatched(where: string, name: string, kind: Kind, base: string): Error {
  if (kind === "biases") {
    return new UnsupportedError(
      `${where}: tensor ${quoteName(name)} adds to ${quoteName(base)}, and this layer has no bias`,
      { hint: "Train the adapter without lora_bias: PEFT cannot merge this one either." },
    );
  }
  return new FormatError(
    `${where}: tensor ${quoteName(name)} belongs to ${quoteName(base)}, which the checkpoint lacks`,
    { hint: "Check that the adapter was trained on this checkpoint." },
  );
}
