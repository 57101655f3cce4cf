/**
 * @file The experiment file. Its sections are the settings of the verbs, under the verbs' names; here stands only what an experiment adds
 * to them, and what it has in another place. The TypeScript type, the JSON Schema for editors and the table in docs/experiments.md are
 * made of it.
 */
import { z } from "zod";

import { EDIT_PICKS, RANKED_ACTIONS } from "../edit/edit.ts";
import { STEERING_MODES } from "../steering/steering-report.ts";
import { learningRate, loraSettings } from "../training/settings.ts";
import { count, nonNegative, seed, nonEmpty, whole } from "../util/setting-kinds.ts";
import { verbs } from "../verbs/index.ts";
import { checkpointSettings, engineSettings } from "../verbs/inputs/checkpoint.ts";
import { pairSettings } from "../verbs/inputs/pairs.ts";
import { pairsOrShare, path } from "../verbs/settings/common.ts";
import { endpointSettings } from "../verbs/settings/endpoint.ts";
import { methodLabel, methodSettings, OF_EXPERIMENTS } from "../verbs/settings/methods.ts";
import { tokenSettings } from "../verbs/settings/tokens.ts";

/** Instead of a file of response pairs: those made of the probe's own rollouts. */
export const DRIFT = "drift";

/**
 * Settings of verbs that an experiment has under another name than `section.setting`, by `verb.setting`: of a whole group, of one setting,
 * or null where the experiment itself decides.
 */
export const ELSEWHERE: Readonly<Record<string, string | null>> = {
  "audit.by": "membership.by",
  "audit.sample": "membership.sample",
  "audit.seed": "membership.seed",
  "behavior.conceptLayer": "rank.layer",
  "behavior.features": null, // those of the methods
  "behavior.parameters": "embed.parameters",
  "behavior.projection": "embed.projection",
  "behavior.projectionSeed": "embed.projectionSeed",
  "behavior.sketch": "embed.sketch",
  "discover.makeBehavior": null, // which cluster is worth it is seen afterwards
  "embed.features": null, // those of the methods
  "embed.layers": "behavior.layers",
  "evaluate.baseline": null, // the arm of no edit
  "evaluate.controls": "edits[].controls",
  "edit.pick": "edits[].controls",
  "edit.tenth": "edits[].action",
  "edit.seed": "train.seeds",
  forecast: null, // an experiment is about one behaviour, a forecast about many
  shifts: null,
  elicit: null, // an experiment's behaviour is what training brought out
  "generate.amplify": "probe.amplify",
  "generate.endpoint": "generate.endpoints.after",
  "quality.plantedColumn": "pairs.planted",
  "refine.layers": "rank.layer",
  "rank.layers": null, // rank.layer is written, all layers of the behaviour are reported
  "rank.method": "rank.methods[]",
  "rank.noText": null, // results of stages hold no text of pairs; culprit show prints it
  "rank.threads": "engine.threads",
  "rank.top": "rank.methods[].top",
  "report.decisions": null,
  "report.port": null,
  "report.serve": null,
  "report.singleFile": null, // a report is made of a run, not in one
  "report.tokens": null,
  "steer.judge": "judge",
  "steer.mode": "steer.modes",
  "steer.otherCheckpoint": null, // the behaviour is read on the checkpoint before
  "steer.sampling": "generate",
  "train.seed": "train.seeds",
  "train.keepStates": null,
  "train.sample": "warmup.sample",
};

const variants = z.array(nonEmpty).min(1);

const checkpointsSection = z.strictObject({
  before: path.describe(
    "The checkpoint before preference training (M0): a Hugging Face folder, or hf://owner/name@revision.",
  ),
  after: path
    .optional()
    .describe(
      "A checkpoint after preference training (M1) that you have. Absent: the one that this experiment trains on all pairs with its first seed.",
    ),
  template: checkpointSettings.shape.template,
  ...tokenSettings.shape,
});

const pairsSection = z.strictObject({
  files: z
    .array(path)
    .min(1)
    .describe("Files of preference pairs; globs and hf://datasets/owner/name/path too."),
  ...pairSettings.shape,
  planted: nonEmpty
    .optional()
    .describe(
      "Column that is true for pairs known to cause the behaviour (a model organism); the method never sees it, the ranking is held to it. Absent: nobody knows.",
    ),
});

const scenariosSection = z.strictObject({
  bases: z
    .array(path)
    .min(1)
    .describe("Files of requests: rows {prompt} or {base}, preference pairs, or lines of a .txt."),
  limit: count.optional().describe("Reads the first rows only. Absent: all."),
  constraints: z
    .array(path)
    .min(1)
    .optional()
    .describe("Files of formatting constraints {id, text}. Absent: those that ship, builtin."),
  ...verbs.scenarios.settings.shape,
});

const probeSection = z.strictObject({
  scenarios: path
    .optional()
    .describe("Scenarios to look for the behaviour in. Absent: the probe's half of scenarios."),
  rollouts: count
    .optional()
    .describe("Responses for each scenario, variant and checkpoint. Absent: generate.rollouts."),
  amplify: verbs.generate.settings.shape.amplify,
});

const generateSection = verbs.generate.settings.omit({ amplify: true, endpoint: true }).extend({
  endpoints: z
    .strictObject({
      before: endpointSettings
        .optional()
        .describe("Where the checkpoint before is served. Absent: sampled by the engine."),
      after: endpointSettings
        .optional()
        .describe("Where the checkpoint after is served. Absent: sampled by the engine."),
    })
    .optional()
    .describe(
      "Samples the given checkpoints at endpoints; activations are read here all the same.",
    ),
});

const judgeSection = z.strictObject({
  rules: path.optional().describe(verbs.judge.inputs.rules.describe),
  rubric: path.optional().describe(verbs.judge.inputs.rubric.describe),
  ...verbs.judge.settings.shape,
  labels: z
    .record(z.string(), path)
    .default({})
    .describe(
      "What people said: a file for each judge stage whose rollouts they labelled, judge-after: FILE say. With rules or a rubric for a sample of them, which the judge is held to; with meaning for all.",
    ),
});

const rankSection = verbs.rank.settings
  .omit({ method: true, layers: true, threads: true, noText: true, top: true })
  .extend({
    methods: z
      .array(methodSettings(undefined, OF_EXPERIMENTS))
      .min(1)
      .refine((choices) => new Set(choices.map(methodLabel)).size === choices.length, {
        error: "expected names of their own: tell uses of one method apart by as",
      })
      .prefault([{ name: "probe" }])
      .describe(
        "How pairs are scored, each with its own settings; edits follow the first unless they say otherwise.",
      ),
    layer: z
      .union([whole, z.literal("auto")], { error: "expected a layer number or auto" })
      .default("auto")
      .describe(
        "Layer of the ranking that is used; auto: the one that culprit behavior chooses of behavior.layers.",
      ),
    rollouts: path
      .optional()
      .describe(
        "Rollouts of the checkpoint before on the pairs' prompts, which projection-difference holds the chosen responses to. Absent: it holds them to the rejected ones.",
      ),
    nulls: z
      .array(nonEmpty)
      .refine((names) => new Set(names).size === names.length, { error: "expected each once" })
      .default([])
      .describe(
        `Unrelated behaviours that the verdict is held to beside sign flips: files of response pairs, or ${DRIFT} for the probe's rollouts that do not show the behaviour, which is what else training changed.`,
      ),
  });

const steerSection = verbs.steer.settings
  .omit({ mode: true, sampling: true, judge: true, otherCheckpoint: true })
  .extend({
    modes: z
      .array(z.enum(STEERING_MODES))
      .min(1)
      .refine((modes) => new Set(modes).size === modes.length, { error: "expected each mode once" })
      .default([...STEERING_MODES])
      .describe(
        "add: the direction is added on the checkpoint before, where the behaviour should appear. project-out: it is projected out of the checkpoint after, where the behaviour should vanish.",
      ),
    on: z
      .enum(["evaluate", "probe"])
      .optional()
      .describe(
        "Whose scenarios are sampled. Absent: those of evaluate, or of the probe where nothing is evaluated.",
      ),
    variants: variants.optional().describe("Variants to sample. Absent: those of on."),
    limit: count.optional().describe("The first scenarios only. Absent: all."),
  });

const topSchema = z.union([count, z.literal("planted")], {
  error: "expected a number of pairs or planted",
});

const editSection = verbs.edit.settings
  .omit({ top: true, tenth: true, pick: true, seed: true })
  .extend({
    action: z
      .enum(RANKED_ACTIONS)
      .optional()
      .describe(
        "filter drops the top pairs, swap exchanges their sides, drop-source drops sources, tenth makes ten arms, each trained on one tenth of the ranking alone. Absent: what decisions say.",
      ),
    top: z
      .union([topSchema, z.array(topSchema).min(1)], {
        error: "expected a number of pairs, planted, or a list of these",
      })
      .optional()
      .describe(
        "How many pairs of the ranking's top are edited, or with drop-source looked at; planted: as many as are planted. A list makes an arm of each. Absent: none, beside decisions.",
      ),
    decisions: path
      .optional()
      .describe(
        "Instead of an action and a top: the file of what people decided of single pairs, as the review queue of culprit report --serve writes it. Pairs to drop are removed, pairs to swap exchanged.",
      ),
    by: verbs.edit.inputs.pairs.settings.shape.by,
    method: nonEmpty
      .optional()
      .describe(
        "The method whose ranking is followed: its name in rank.methods, or what as calls it. Absent: the first.",
      ),
    controls: z
      .array(z.enum(EDIT_PICKS).exclude(["chosen"]))
      .refine((picks) => new Set(picks).size === picks.length, { error: "expected each once" })
      .default(["random"])
      .describe(
        "Arms of as many pairs beside it. Drawn anew for each seed: random of the same source mix, random-any of any. bottom: those ranked lowest, with filter and swap.",
      ),
    draws: count
      .default(1)
      .describe(
        "Random sets of each kind of controls; three or more say where the edit stands among them.",
      ),
  });

const trainSection = verbs.train.settings
  .omit({ seed: true, sample: true, keepStates: true })
  .extend({
    method: z.literal("dpo").default("dpo").describe("Direct preference optimisation."),
    seeds: z
      .array(seed)
      .min(1)
      .refine((seeds) => new Set(seeds).size === seeds.length, { error: "expected each seed once" })
      .default([1])
      .describe("Every arm is trained once with each; intervals over seeds need three or more."),
  });

/** LESS's own values, but for what follows from the checkpoint's size. */
const warmupSection = verbs.train.settings
  .omit({ method: true, lossOn: true, keepStates: true, keepCheckpoints: true })
  .extend({
    learningRate: learningRate.default(2e-5),
    lora: loraSettings
      .nullable()
      .prefault({})
      .describe("The low-rank factors that are trained; null: every weight."),
    epochs: count.default(4).describe("Passes over the sample; the state after each is kept."),
    sample: pairsOrShare
      .prefault("5%")
      .describe("How many of the pairs it is trained on, or their share."),
  });

const evaluateSection = verbs.evaluate.settings
  .omit({ baseline: true, controls: true, variants: true })
  .extend({
    scenarios: path
      .optional()
      .describe(
        "Scenarios to measure the arms in; none of the requests of probe.scenarios may be among them. Absent: the evaluation's half of scenarios.",
      ),
    rollouts: count
      .optional()
      .describe("Responses for each scenario, variant and checkpoint. Absent: generate.rollouts."),
    variants: variants.default(["base", "base+distractor"]).describe("Variants to sample."),
    trigger: nonEmpty
      .default("base+distractor")
      .describe("The variant whose rate the arms are compared by."),
  });

const { pairs: heldOut, answers, tasks, overRefusal } = verbs.capabilities.inputs;
const capabilitiesSection = verbs.capabilities.settings.omit({ maxTokens: true }).extend({
  pairs: path.optional().describe(heldOut.describe),
  answers: path.optional().describe(answers.describe),
  tasks: path.optional().describe(tasks.describe),
  overRefusal: path.optional().describe(overRefusal.describe),
  maxTokens: count
    .optional()
    .describe("Tokens of one response, at most. Absent: generate.maxTokens."),
});

const engineSection = engineSettings.extend({
  stages: count
    .max(64)
    .optional()
    .describe(
      "Engine local, on the CPU: stages that run side by side at most, each with its share of the cores; fewer where memory is short. It changes no result. Absent: one for each core (for each engine.threads cores) where the checkpoint has 10 million weights at most, else 1.",
    ),
});

const costSection = z.strictObject({
  pricePerHour: nonNegative
    .optional()
    .describe(
      "Price of an hour of this machine; with it every stage's cost is also in money. Absent: none.",
    ),
  currency: nonEmpty.default("USD").describe("What the price is in; for people."),
});

const refineSection = verbs.refine.settings.omit({ layers: true }).extend({
  precision: z
    .enum(["W8A8", "INT8"])
    .default("W8A8")
    .describe("How all pairs are read first, of states; see engine.precision."),
});

const membershipSection = verbs.audit.settings.omit({ maxTokens: true }).extend({
  heldOut: path
    .optional()
    .describe(
      "Pairs of the same kind that the checkpoint after was not trained on, of other prompts: a file, a glob in quotes or hf://datasets/owner/name/path. Absent: only the side of these pairs is known, and the verdict says so.",
    ),
});

/** What a warm-up is where the file has none. */
export const WARMUP_DEFAULTS = warmupSection.parse({});

export const sections = {
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
      error: "expected letters, digits, dots, dashes and underscores, 64 at most",
    })
    .describe("Name of the experiment, and of its folder under culprit-out/."),
  checkpoints: checkpointsSection.describe("The checkpoint that everything starts from."),
  pairs: pairsSection.describe("The preference pairs that it was or will be trained on."),
  audit: verbs.audit.settings
    .pick({ maxTokens: true })
    .prefault({})
    .describe("What is in the pairs."),
  membership: membershipSection
    .optional()
    .describe(
      "Whether the checkpoint after was trained on the pairs, and how far it drifted on them by source. Absent: not asked.",
    ),
  train: trainSection
    .optional()
    .describe("How checkpoints are trained; needed to make the checkpoint after, and for edits."),
  warmup: warmupSection
    .optional()
    .describe(
      "The training run along which the methods tracin and less read gradients. Absent: its defaults.",
    ),
  scenarios: scenariosSection
    .optional()
    .describe("Composes scenarios and splits them for probe and evaluate, instead of files."),
  probe: probeSection
    .optional()
    .describe("Samples both checkpoints to find response pairs that show the behaviour."),
  responses: path
    .optional()
    .describe("Response pairs that show the behaviour, where you have them; instead of probe."),
  generate: generateSection.prefault({}).describe("How responses are sampled."),
  judge: judgeSection.optional().describe("What decides whether a response shows the behaviour."),
  agreement: verbs.agreement.settings.prefault({}).describe("The judge beside people."),
  conditions: verbs.conditions.settings
    .prefault({})
    .describe("Which scenarios the behaviour is made of, by the four conditions."),
  behavior: verbs.behavior.settings
    .omit({
      features: true,
      sketch: true,
      projection: true,
      projectionSeed: true,
      parameters: true,
      conceptLayer: true,
    })
    .extend({
      name: nonEmpty.default("behavior").describe("The behaviour's name in results."),
    })
    .describe("The behaviour vector."),
  embed: verbs.embed.settings
    .omit({ layers: true, features: true })
    .prefault({})
    .describe("Datapoint vectors."),
  refine: refineSection
    .optional()
    .describe(
      "Reads pairs twice: all of them in low precision, and the likeliest ones and a sample again exactly. Absent: all exactly, once.",
    ),
  rank: rankSection.prefault({}).describe("Scoring and ranking of all pairs."),
  discover: verbs.discover.settings
    .omit({ makeBehavior: true })
    .optional()
    .describe(
      "Clusters what training changed in the probe's rollouts, and holds the clusters to the pairs. Absent: not done.",
    ),
  quality: verbs.quality.settings.prefault({}).describe("The ranking held to the planted pairs."),
  steer: steerSection
    .optional()
    .describe("Samples with the behaviour's direction added or projected out. Absent: not done."),
  edits: z
    .array(editSection)
    .default([])
    .describe("Arms: edits of the pairs, each trained on and measured beside its controls."),
  evaluate: evaluateSection.optional().describe("How arms are measured; needed for edits."),
  capabilities: capabilitiesSection.prefault({}).describe("What must not get worse."),
  engine: engineSection.prefault({}).describe("The engine."),
  cost: costSection.prefault({}).describe("What the costs are counted in."),
} as const;

const baseSchema = z.strictObject(sections);

/** A valid experiment with its defaults filled in. */
export type Experiment = z.output<typeof baseSchema>;
