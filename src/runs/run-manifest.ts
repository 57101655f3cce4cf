/** @file `run.json`: what a run was told, with which versions, and what every stage cost. Times are here, never in results. */
import { z } from "zod";

import { addCosts, type PricedCost, pricedCostSchema, withMoney } from "../engine/cost.ts";
import { countSchema, jsonArtifact, type Plain } from "../util/artifact.ts";

const manifestStageSchema = z.strictObject({
  id: z.string(),
  kind: z.string(),
  name: z.string(),
  /** Relative to the experiment's folder; absent until the stage has begun. */
  directory: z.string().optional(),
  /** Absent until the stage is done. */
  cost: pricedCostSchema.optional(),
  isCached: z.boolean().optional(),
});
/** One stage in the manifest. */
export type ManifestStage = Plain<typeof manifestStageSchema>;

/** In the experiment's folder. */
export const RUN = jsonArtifact(
  "run.json",
  "the manifest of a run",
  z.strictObject({
    format: z.literal("culprit-run"),
    name: z.string(),
    experimentFile: z.string(),
    experimentSha256: z.string(),
    /** With all defaults; paths as the file has them. An earlier version's has other settings. */
    experiment: z.looseObject({
      cost: z.looseObject({ pricePerHour: z.number().optional(), currency: z.string() }),
    }),
    inputs: z.record(z.string(), z.string()),
    software: z.record(z.string(), z.string()),
    machine: z.strictObject({ cpu: z.string(), cores: countSchema }),
    startedAt: z.string(),
    finishedAt: z.string().optional(),
    stages: z.array(manifestStageSchema),
    total: pricedCostSchema,
  }),
);
export type RunManifest = z.output<typeof RUN.schema>;

/** What the stages took together, as far as they have begun. */
export function sumCosts(
  stages: readonly Pick<ManifestStage, "cost">[],
  pricePerHour: number | undefined,
): PricedCost {
  const costs = stages.flatMap(({ cost }) => (cost === undefined ? [] : [cost]));
  return withMoney(addCosts(costs), pricePerHour);
}
