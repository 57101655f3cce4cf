/** @file What speaks for each layer, steering included. */
import { z } from "zod";

import { type LayerDiagnostics, layerDiagnosticsSchema } from "../behavior/diagnostics.ts";
import { chooseLayer, layerChoiceSchema } from "../behavior/layer-choice.ts";
import { jsonArtifact, type Plain } from "../util/artifact.ts";
import { steeringEffectSchema, type SteeringReport } from "./steering-report.ts";

/** One layer of a behaviour. */
const layerRowSchema = z.strictObject({
  ...layerDiagnosticsSchema.pick({
    layer: true,
    heldOut: true,
    splitHalf: true,
    separation: true,
    isStable: true,
  }).shape,
  /** One for each variant; none where steering was not measured, or no strength leaves the text coherent. */
  effects: z.array(steeringEffectSchema),
});
export type LayerRow = Plain<typeof layerRowSchema>;

/** In the output folder of a steering, beside the report. */
export const LAYER_TABLE = jsonArtifact(
  "layers.json",
  "the table of a steering's layers",
  z.strictObject({
    rows: z.array(layerRowSchema),
    /** See chooseLayer. */
    choice: layerChoiceSchema,
  }),
);
export type LayerTable = z.output<typeof LAYER_TABLE.schema>;

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
