/**
 * @file The experiment file: the only source of its settings, their defaults, units and descriptions. The TypeScript type, the JSON
 * Schema for editors (json-schema.ts) and the table in docs/experiments.md (settings-table.ts) are derived from it.
 */
import { z } from "zod";

import { DEVICES } from "../runtime/device.ts";
import { attributionSchema, behaviorSchema, editSchema } from "./schema-attribution.ts";
import { checkpointsSchema, pairsSchema, probeSchema, samplingSchema } from "./schema-inputs.ts";
import { type EndpointSettings, judgeSchema } from "./schema-judge.ts";
import { count, path } from "./schema-primitives.ts";
import { evaluationSchema, trainingSchema } from "./schema-training.ts";

const engineSchema = z.strictObject({
  kind: z.literal("local").default("local").describe("Where the arithmetic runs."),
  device: z.enum(DEVICES).default("cpu").describe("Execution provider of ONNX Runtime."),
  threads: count
    .max(1024)
    .optional()
    .describe(
      "Threads of the arithmetic; absent: one for each core. Part of what results depend on.",
    ),
  batchTokens: count
    .optional()
    .describe("Tokens of one batch when embedding; absent: 1024. Less needs less memory."),
});

const costSchema = z.strictObject({
  pricePerHour: z
    .number()
    .min(0)
    .optional()
    .describe("Price of an hour of this machine; with it every stage's cost is also in money."),
  currency: z.string().min(1).default("USD").describe("What the price is in; for people."),
});

/** One experiment; paths are relative to the file that it was read from. */
export const experimentSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
        error: "expected letters, digits, dots, dashes and underscores, 64 at most",
      })
      .describe("Name of the experiment, and of its folder under culprit-out/."),
    checkpoints: checkpointsSchema.describe("The checkpoint that everything starts from."),
    pairs: pairsSchema.describe("The preference pairs that it was or will be trained on."),
    training: trainingSchema
      .optional()
      .describe("How checkpoints are trained; needed to make the checkpoint after, and for edits."),
    probe: probeSchema
      .optional()
      .describe("Samples both checkpoints to find response pairs that show the behaviour."),
    responses: path
      .optional()
      .describe("Response pairs that show the behaviour, where you have them; instead of probe."),
    sampling: samplingSchema.prefault({}).describe("How responses are sampled."),
    judge: judgeSchema.optional().describe("What decides whether a response shows the behaviour."),
    behavior: behaviorSchema.describe("The behaviour vector."),
    attribution: attributionSchema.prefault({}).describe("Scoring and ranking of all pairs."),
    edits: z
      .array(editSchema)
      .default([])
      .describe("Arms: edits of the pairs, each trained on and measured beside its controls."),
    evaluation: evaluationSchema.optional().describe("How arms are measured; needed for edits."),
    engine: engineSchema.prefault({}).describe("The engine."),
    cost: costSchema.prefault({}).describe("What the costs are counted in."),
  })
  .superRefine((experiment, context) => {
    for (const { path: at, message } of contradictions(experiment)) {
      context.addIssue({ code: "custom", path: [...at], message });
    }
  })
  .describe("An experiment of culprit run.");

/** A valid experiment with its defaults filled in. */
export type Experiment = z.output<typeof experimentSchema>;

interface Contradiction {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** The settings that need each other. */
interface Joined {
  readonly checkpoints: { readonly after?: string | undefined };
  readonly pairs: { readonly planted?: string | undefined };
  readonly training?: unknown;
  readonly probe?: unknown;
  readonly responses?: string | undefined;
  readonly judge?:
    | {
        readonly kind: string;
        readonly endpoint?: EndpointSettings;
        readonly maxCost?: number | undefined;
      }
    | undefined;
  readonly edits: readonly { readonly top: unknown }[];
  readonly evaluation?: unknown;
  readonly behavior: { readonly layers: readonly number[] };
  readonly attribution: { readonly layer: number | "auto" };
}

function contradictions(given: Joined): Contradiction[] {
  const found: Contradiction[] = [];
  const need = (isGiven: boolean, at: string, message: string): void => {
    if (!isGiven) found.push({ path: [at], message });
  };
  const has = (value: unknown): boolean => value !== undefined;
  need(
    has(given.probe) !== has(given.responses),
    "probe",
    "expected either probe or responses, not both and not neither",
  );
  if (has(given.probe)) {
    need(has(given.judge), "judge", "expected a judge for the rollouts of probe");
    need(
      has(given.checkpoints.after) || has(given.training),
      "training",
      "expected settings to train the checkpoint after, or checkpoints.after",
    );
  }
  if (given.edits.length > 0) {
    need(has(given.training), "training", "expected settings to train the arms of edits");
    need(has(given.evaluation), "evaluation", "expected settings to measure the arms of edits");
  }
  if (has(given.evaluation)) {
    need(has(given.judge), "judge", "expected a judge for the rollouts of evaluation");
  }
  for (const [i, { top }] of given.edits.entries()) {
    if (has(given.pairs.planted) || ![top].flat().includes("planted")) continue;
    found.push({
      path: ["edits", i, "top"],
      message: "expected a number, as pairs.planted names no column",
    });
  }
  found.push(...judgeContradictions(given.judge));
  const { layer } = given.attribution;
  if (layer !== "auto" && !given.behavior.layers.includes(layer)) {
    found.push({
      path: ["attribution", "layer"],
      message: `expected one of behavior.layers (${given.behavior.layers.join(", ")})`,
    });
  }
  return found;
}

function judgeContradictions(judge: Joined["judge"]): Contradiction[] {
  if (judge?.endpoint === undefined) return [];
  const { priceIn, priceOut } = judge.endpoint;
  if ((priceIn === undefined) !== (priceOut === undefined)) {
    const absent = priceIn === undefined ? "priceIn" : "priceOut";
    return [{ path: ["judge", "endpoint", absent], message: "expected both priceIn and priceOut" }];
  }
  if (judge.maxCost === undefined || priceIn !== undefined) return [];
  return [{ path: ["judge", "maxCost"], message: "expected priceIn and priceOut of the endpoint" }];
}
