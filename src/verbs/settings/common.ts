/** @file Kinds of settings that several verbs have. */
import { z } from "zod";

import type { TopSize } from "../../ranking/ranking-report.ts";
import { ConfigError } from "../../util/errors.ts";
import { nonEmpty, whole } from "../../util/setting-kinds.ts";
import { type Contradiction, need } from "../verb.ts";

/** Of a file or folder; in an experiment file relative to it. */
export const path = nonEmpty;

/** A column that was kept with the pairs. */
export const by = nonEmpty.optional();

/** What is given and belongs to other values of a choice, and so would be passed over. `owned` says by value what belongs to it. */
export function othersChoice(
  choice: string,
  got: string,
  owned: Readonly<Record<string, Readonly<Record<string, boolean>>>>,
): readonly Contradiction[] {
  return Object.entries(owned).flatMap(([value, given]) =>
    Object.entries(given).flatMap(([name, isGiven]) =>
      need(value === got || !isGiven, [name], `expected ${choice} ${value} with it, got ${got}`),
    ),
  );
}

/** Layers: `all`, or the numbers, rising and each once. */
export type LayerSelection = "all" | readonly number[];

/** Deeper than any model there is; keeps `0-999999999` from filling the memory. */
const MAX_LAYER = 9999;

const LAYERS_EXPECTED = "expected numbers and ranges like 8,10-12, or all";

const written = z.union([z.array(whole).min(1), whole, z.string()], {
  error: LAYERS_EXPECTED,
});

const toLayers = (value: z.output<typeof written>, context: z.RefinementCtx): LayerSelection =>
  typeof value === "string" ? readLayers(value, context) : sortLayers([value].flat());

/** The same, or the layer that was chosen for a behaviour. */
export const layersOrAuto = written.transform((value, context) =>
  value === "auto" ? value : toLayers(value, context),
);

/** Layers as people write them: a list of numbers, or text like `8,10-12` or `all`. */
export const layers = written.transform(toLayers).meta({
  description:
    "Residual-stream layers: numbers and ranges like 8,10-12, or all; layer l is the stream after l blocks, 0 the embedding output.",
  placeholder: "LIST",
});

/** The layers that a text names, or an issue that says what is wrong with it. */
export function readLayers(text: string, context: z.RefinementCtx): LayerSelection {
  const found = parseLayers(text);
  if (typeof found === "object" || found === "all") return found;
  context.addIssue({ code: "custom", message: `${LAYERS_EXPECTED}; ${found}` });
  return z.NEVER;
}

/** The layers that a text names; else what is wrong with it. */
function parseLayers(text: string): LayerSelection | `got "${string}"` {
  if (text.trim() === "all") return "all";
  const found: number[] = [];
  for (const part of text.split(",")) {
    const match = /^\s*(\d+)\s*(?:-\s*(\d+)\s*)?$/.exec(part);
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (match === null || first > last || last > MAX_LAYER) return `got "${part.trim()}"`;
    for (let layer = first; layer <= last; layer++) found.push(layer);
  }
  return sortLayers(found);
}

const sortLayers = (found: readonly number[]): readonly number[] =>
  [...new Set(found)].toSorted((a, b) => a - b);

/** The layer numbers for a checkpoint of `layerCount` blocks: `all` is 0 to layerCount. Throws ConfigError past the end. */
export function resolveLayers(
  selection: LayerSelection,
  layerCount: number,
  setting = "layers",
): readonly number[] {
  if (selection === "all") return Array.from({ length: layerCount + 1 }, (_, layer) => layer);
  const beyond = selection.find((layer) => layer > layerCount);
  if (beyond === undefined) return selection;
  throw new ConfigError(`${setting}: the checkpoint has layers 0 to ${layerCount}, got ${beyond}`, {
    hint: `Layer 0 is the embedding output, layer ${layerCount} that of the last block; all takes every one.`,
  });
}

const EXPECTED = "expected numbers of pairs or shares like 300 or 5%";

const topSize = z
  .union([z.int(), z.string()], { error: EXPECTED })
  .transform((value, context): TopSize => {
    const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(`${value}`);
    const size = Number(match?.[1]);
    if (match?.[2] === "%" && size > 0 && size <= 100) return { share: size / 100 };
    if (match?.[2] === "" && Number.isSafeInteger(size) && size > 0) return { count: size };
    context.addIssue({ code: "custom", message: EXPECTED });
    return z.NEVER;
  });

/** A number of pairs, or a share of all. */
export const pairsOrShare = topSize;

/** Sizes of a ranking's top that are looked at. */
export const tops = z.array(topSize).min(1).optional();
