import { z } from "zod";

import { jsonArtifact } from "../util/artifact.ts";
import { conditionRatesSchema } from "./condition-rates.ts";
import { filterResultSchema } from "./four-condition-filter.ts";

/** The rates of both checkpoints, and what the four-condition filter decided. */
export const CONDITIONS = jsonArtifact(
  "conditions.json",
  "rates by condition and what the four-condition filter decided",
  z.strictObject({
    /** The strength of model-diff amplification of the rollouts after: their rates are not those of the checkpoint. Absent: not amplified. */
    amplify: z.number().optional(),
    ...conditionRatesSchema.shape,
    ...filterResultSchema.shape,
  }),
);
export type ConditionsReport = z.output<typeof CONDITIONS.schema>;
