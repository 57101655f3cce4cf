/** @file What an experiment found, as plain data: `result.json`. Nothing in it depends on when or where it ran. */
import { z } from "zod";

import { EDIT_ACTIONS, EDIT_PICKS, editedGroupSchema, TENTHS } from "../edit/edit.ts";
import { membershipSchema } from "../pairs/audit-membership.ts";
import { rankedRefinementSchema } from "../ranking/ranked-refinement.ts";
import { plantedQualitySchema } from "../ranking/ranking-quality.ts";
import { rankReportSchema } from "../ranking/ranking-report.ts";
import { signalVerdictSchema, unusedNullSchema } from "../ranking/signal-verdict.ts";
import { conditionRatesSchema } from "../rates/condition-rates.ts";
import { EVALUATION } from "../rates/evaluation.ts";
import { judgeBesidePeopleSchema } from "../rates/judge-beside-people.ts";
import { LAYER_TABLE } from "../steering/layer-table.ts";
import { STEERING } from "../steering/steering-report.ts";
import { countSchema, countsSchema, jsonArtifact, type Plain } from "../util/artifact.ts";

/** The result for people, beside the file. */
export const TABLE_NAME = "table.txt";

/** An arm of the experiment: what it edits, and why it was not trained where it was not. */
const armEditSchema = z.strictObject({
  arm: z.string(),
  /** Whose ranking it follows; absent where people decided. */
  method: z.string().optional(),
  /** `review`: what people decided of single pairs. */
  action: z.enum(EDIT_ACTIONS),
  pick: z.enum(EDIT_PICKS),
  /** Absent where people decided. */
  top: countSchema.optional(),
  /** The tenth of the ranking that is left, 1 the highest scores; absent for other actions and random tenths. */
  tenth: z.int().min(1).max(TENTHS).optional(),
  /** Pairs edited; random picks take as many in every seed. */
  pairs: countSchema,
  /** Groups with edited pairs, most first; of the first seed where they are random. */
  groups: z.array(editedGroupSchema),
  /** Arms of as many random pairs that it is held to. */
  controls: z.array(z.string()),
  /** Why nothing was trained and measured; undefined where it was. */
  skipped: z.string().optional(),
});
export type ArmEdit = Plain<typeof armEditSchema>;

/** Scenarios by what the four-condition filter decided. */
const filteredScenariosSchema = z.strictObject({
  kept: countSchema,
  dropped: countSchema,
  /** Rollouts or verdicts are missing that could decide it. */
  unknown: countSchema,
  of: countSchema,
  /** Missing verdicts in the four conditions, and how many by each cause. */
  missing: countSchema,
  causes: countsSchema,
});
export type FilteredScenarios = Plain<typeof filteredScenariosSchema>;

/** How the behaviour's vector came to be. */
const probeResultSchema = z.strictObject({
  layer: countSchema,
  layerReason: z.string(),
  responsePairs: countSchema,
  prompts: countSchema,
  /** Why the vector is not stable, which makes what follows evidence of nothing; undefined where it is. */
  doubt: z.string().optional(),
  /** Directions of orthogonalTo that are not stable, so that much of them may be left, a line each; absent where there are none. */
  nuisanceDoubts: z.array(z.string()).optional(),
  /** What the four-condition filter made of the scenarios; undefined where the response pairs were given. */
  scenarios: filteredScenariosSchema.optional(),
  /** How often both checkpoints show the behaviour on these scenarios; absent where the response pairs were given. */
  rates: conditionRatesSchema.optional(),
  /** The strength of model-diff amplification with which the checkpoint after was sampled to find it; absent where it was not. */
  amplify: z.number().optional(),
});
export type ProbeResult = Plain<typeof probeResultSchema>;

/** What one attribution method found. */
const methodResultSchema = z.strictObject({
  /** The method's name, or what `as` calls this use of it. */
  name: z.string(),
  /** From a pair to its score, one clause. */
  formula: z.string(),
  /** Pairs ranked. */
  pairs: countSchema,
  /** The stage that ranked: run.json has its time and what endpoints were paid. */
  stage: z.string(),
  /** What scoring took beside; the making of vectors not counted. */
  cost: rankReportSchema.shape.cost,
  /** Of vectors of which the likeliest alone are exact: how far the top can be trusted; absent where all are. */
  refined: rankedRefinementSchema.optional(),
  /** What the scores say about editing; absent where they allow none. */
  verdict: signalVerdictSchema.optional(),
  /** Unrelated behaviours of rank.nulls that the verdict could not be held to, and why; absent where there are none. */
  skippedNulls: z.array(unusedNullSchema).optional(),
  /** How well the ranking finds the planted pairs; absent where nobody knows them. */
  quality: plantedQualitySchema.optional(),
});
export type MethodResult = Plain<typeof methodResultSchema>;

/** The judge of a stage beside people. */
const stageAgreementSchema = z.strictObject({
  ...judgeBesidePeopleSchema.shape,
  /** The id of the stage that judged. */
  stage: z.string(),
});
export type StageAgreement = Plain<typeof stageAgreementSchema>;

/** In its stage's folder and in the experiment's. */
export const RESULT = jsonArtifact(
  "result.json",
  "the result of an experiment",
  z.strictObject({
    format: z.literal("culprit-result"),
    version: z.literal(1),
    name: z.string(),
    behavior: z.string(),
    pairs: countSchema,
    probe: probeResultSchema,
    /** Whether the checkpoint after was trained on the pairs; absent where the experiment does not ask. Its stage's audit.json has the figures. */
    membership: z
      .strictObject({
        ...membershipSchema.pick({ verdict: true, remarks: true }).shape,
        /** Different prompts on each side, the units of the verdict's intervals. */
        prompts: z.strictObject({ claimed: countSchema, heldOut: countSchema }),
      })
      .optional(),
    /** What each method of rank.methods found; edits follow the first unless they say otherwise. */
    methods: z.array(methodResultSchema),
    /** What adding and projecting out the behaviour's direction does, beside random directions. */
    steering: z.array(STEERING.schema).optional(),
    /** What speaks for each layer, and which is chosen with steering; absent unless the direction was added at several layers. */
    layerTable: LAYER_TABLE.schema.optional(),
    /** Where people labelled rollouts: how far the judge agrees with them, and its rates corrected. */
    agreements: z.array(stageAgreementSchema).optional(),
    /** The variant by whose rate arms are compared; undefined where nothing was measured. */
    trigger: z.string().optional(),
    seeds: z.array(z.int()),
    edits: z.array(armEditSchema),
    /** Rates and capabilities of every arm; undefined where nothing was measured. */
    evaluation: EVALUATION.schema.optional(),
    /** What this means, a sentence each. */
    conclusions: z.array(z.string()),
  }),
);
export type ExperimentResult = z.output<typeof RESULT.schema>;
