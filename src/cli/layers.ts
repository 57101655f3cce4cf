import { ConfigError } from "../util/errors.ts";

/** Layers as the user wrote them: `all`, or the numbers, ascending and each once. */
export type LayerSelection = "all" | readonly number[];

/** Deeper than any model there is; keeps `0-999999999` from filling the memory. */
const MAX_LAYER = 9999;

/** Reads the value of a flag, `8,10,12`, `8-12`, `0,8-12` or `all`; throws ConfigError naming the part that is none of these. */
export function parseLayers(text: string, flag = "--layers"): LayerSelection {
  if (text.trim() === "all") return "all";
  const layers = new Set<number>();
  for (const part of text.split(",")) {
    const match = /^\s*(\d+)\s*(?:-\s*(\d+)\s*)?$/.exec(part);
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (match === null || first > last || last > MAX_LAYER) {
      throw new ConfigError(
        `${flag}: expected numbers and ranges like 8,10-12, or all, got "${part.trim()}"`,
        { hint: "Layer 0 is the embedding output, layer n the residual stream after n blocks." },
      );
    }
    for (let layer = first; layer <= last; layer++) layers.add(layer);
  }
  return [...layers].toSorted((a, b) => a - b);
}

/** The layer numbers for a checkpoint of `layerCount` blocks: `all` is 0 to layerCount. Throws ConfigError past the end. */
export function resolveLayers(selection: LayerSelection, layerCount: number): readonly number[] {
  if (selection === "all") return Array.from({ length: layerCount + 1 }, (_, layer) => layer);
  const beyond = selection.find((layer) => layer > layerCount);
  if (beyond !== undefined) {
    throw new ConfigError(`--layers: the checkpoint has layers 0 to ${layerCount}, got ${beyond}`, {
      hint: `Layer 0 is the embedding output, layer ${layerCount} that of the last block; --layers all takes every one.`,
    });
  }
  return selection;
}
