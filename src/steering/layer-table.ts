/** @file What speaks for each layer, steering included. */
import type { LayerDiagnostics } from "../behavior/diagnostics.ts";
import { chooseLayer, type LayerChoice } from "../behavior/layer-choice.ts";
import type { SteeringEffect, SteeringReport } from "./steering-report.ts";

/** The table's name in the output folder of a steering, beside the report. */
export const STEERING_LAYERS = "layers.json";

/** One layer of a behaviour. */
export interface LayerRow extends Pick<
  LayerDiagnostics,
  "layer" | "heldOut" | "splitHalf" | "separation" | "isStable"
> {
  /** One for each variant; none where steering was not measured, or no strength leaves the text coherent. */
  readonly effects: readonly SteeringEffect[];
}

export interface LayerTable {
  readonly rows: readonly LayerRow[];
  /** See chooseLayer. */
  readonly choice: LayerChoice;
}

/** The diagnostics of a behaviour with the effects of steering beside them, and the layer that both choose. */
export function layerTable(
  diagnostics: readonly LayerDiagnostics[],
  { layers }: Pick<SteeringReport, "layers">,
): LayerTable {
  const rows = diagnostics.map(({ layer, heldOut, splitHalf, separation, isStable }) => {
    const effects = layers.find((each) => each.layer === layer)?.effects ?? [];
    return { layer, heldOut, splitHalf, separation, isStable, effects };
  });
  const causes = new Map(
    layers.flatMap(({ layer, effects }) =>
      layer === undefined ? [] : [[layer, effects.some(({ verdict }) => verdict === "causes")]],
    ),
  );
  return { rows, choice: chooseLayer(diagnostics, causes) };
}
