import { basename } from "node:path";

import { z } from "zod";

import { collectActivations } from "../behavior/activations.ts";
import {
  BEHAVIOR_FILE,
  behaviorReportPath,
  readBehavior,
  writeBehavior,
} from "../behavior/behavior-file.ts";
import { computeBehavior } from "../behavior/behavior.ts";
import { WEIGHTINGS } from "../behavior/mean-difference.ts";
import { estimateNuisance, nuisanceDoubts, nuisanceOfBehavior } from "../behavior/nuisance.ts";
import { PROBES } from "../behavior/probe-kind.ts";
import { projectOut } from "../behavior/project-out.ts";
import { isMeasure, MEASURES, measureResponses } from "../behavior/response-measures.ts";
import { trainProbe } from "../behavior/train-probe.ts";
import { withFeatures } from "../engine/features.ts";
import type { ResponsePairs } from "../pairs/response-pairs.ts";
import { count, maxTokens, seed, nonEmpty, whole } from "../util/setting-kinds.ts";
import { checkpointInput } from "./inputs/checkpoint.ts";
import { readConcept } from "./inputs/concept.ts";
import { behaviorInput, behaviorsInput, responsesInput } from "./inputs/files.ts";
import { openResponses } from "./inputs/responses.ts";
import { warmupInput } from "./inputs/warmup.ts";
import { layers } from "./settings/common.ts";
import {
  featureContradictions,
  featureSettings,
  readingOf,
  warmupDoubts,
} from "./settings/features.ts";
import { formatBehavior, listBehaviorWarnings } from "./show/behavior.ts";
import { defineVerb, type Input, need } from "./verb.ts";

/** More draws sharpen nothing; with 5,000 prompts this many bootstrap replicates take 200 MB. */
const MAX_DRAWS = 10_000;
/** For each layer this many null directions of 4096 dimensions take 16 MB in the file. */
const MAX_NULL_DIRECTIONS = 1024;

const responsePairsInput = {
  ...responsesInput,
  isPositional: true,
  open: ([path = ""], _settings, work) => openResponses(path, work),
  files: ({ files }) => files.map(({ path }) => path),
} as const satisfies Input<ResponsePairs>;

const behaviorSettings = z.strictObject({
  name: nonEmpty
    .optional()
    .describe("The behaviour's name in results. Absent: that of its file without the ending."),
  layers,
  probe: z
    .enum(PROBES)
    .default("mean-difference")
    .describe("How the direction is made from the activations."),
  orthogonalTo: z
    .array(z.string().refine(isMeasure, { error: `expected ${MEASURES.join(", ")}` }))
    .default([])
    .describe(
      `Measures of the response whose directions are projected out first: ${MEASURES.join(", ")}.`,
    ),
  weighting: z
    .enum(WEIGHTINGS)
    .default("rollout")
    .describe(
      "What counts the same, every response pair or every scenario; both are written, and diagnostics and what reads the file take this one.",
    ),
  maxTokens,
  splits: count
    .max(MAX_DRAWS)
    .default(200)
    .describe("Random halves, and as many bootstrap replicates."),
  flips: count
    .max(MAX_DRAWS)
    .default(200)
    .describe("Random sign flips for the null of the length, null p."),
  ...featureSettings,
  conceptLayer: z
    .union([whole, z.literal("auto")], { error: "expected a layer number or auto" })
    .default("auto")
    .describe(
      "Of features concept: the layer of --concept whose direction is taken; auto: the one chosen for it.",
    ),
  nullDirections: whole
    .max(MAX_NULL_DIRECTIONS)
    .default(64)
    .describe("Null directions to keep, which pairs are scored against."),
  seed: seed.default(0).describe("Seed of splits, replicates and signs."),
});

export const behavior = defineVerb({
  name: "behavior",
  summary: "Behaviour vectors of response pairs, with their stability",
  about: `
RESPONSES holds one response pair a line: {"id", "prompt", "before", "after", "scenario"?}. The after-response shows the
behaviour, the before-response does not. Both are read on the same checkpoint, the one before preference training.

The behaviour vector of a layer is the mean over pairs of after minus before, each the mean activation over the tokens of
the response. Layer l is the residual stream after l blocks; layer 0 is the embedding output.

FILE.safetensors holds direction.<l>, direction_scenario.<l>, bank.<l> (one vector per scenario) and null.<l>; FILE.json
the diagnostics. For each layer is printed:
  length       of the vector, and its share of the length of the before-responses' activations
  split-half   cosine between the vectors of two random halves of the prompts: mean and 95% of the splits
  reliability  the cosine to expect with a vector of as many new prompts (Spearman-Brown)
  bootstrap    cosine between the vector and its replicates with the prompts resampled: mean and 95% interval
  null p       how often random signs, one for each prompt, give a vector as long
  one-out      mean cosine of a pair's difference with the vector of all other prompts
  separation   length over the 95% quantile of the lengths under random signs: above 1 it stands out
  AUROC        on held-out prompts, how often an after-response scores above a before-response, with its 95% interval
A vector is called stable where split-half is at least 0.5 and null p below 0.05; a warning names the layers where it is not.

One layer is chosen, for culprit rank --layers auto: of the stable layers above 0 whose AUROC reaches the lower end of the
best one's interval, the one with the largest split-half cosine. culprit steer measures what steering does at each layer, and
chooses in the same way among those whose direction causes the behaviour.

--probe logistic trains an L2 logistic regression on the responses, its penalty chosen by cross-validation over prompts; lda
whitens the mean difference by the covariance within before- and after-responses. Split-half is then that of the trained
direction, over 20 splits; bootstrap and one-out are not measured.

--orthogonal-to takes directions out of all activations first:
${MEASURES.join(", ")} (estimated from how the responses
of one side differ among themselves); --orthogonal-to-behavior those of other behaviour files made at the same layers.

  culprit behavior responses.jsonl --checkpoint ./sft --layers 8,10,12 --out complies.safetensors`,
  version: 9,
  inputs: {
    responses: responsePairsInput,
    checkpoint: checkpointInput,
    warmup: warmupInput,
    concept: {
      ...behaviorInput,
      describe: "For features concept: the behaviour file of states whose direction it is of.",
      isOptional: true,
    },
    orthogonalToBehavior: {
      ...behaviorsInput,
      describe:
        "A behaviour file whose directions are projected out too; may be given several times.",
      isOptional: true,
    },
  },
  settings: behaviorSettings,
  check: (settings, given) => [
    ...featureContradictions(settings, given),
    ...need(
      settings.conceptLayer === "auto" || settings.features === "concept",
      ["conceptLayer"],
      `expected features concept with it, got ${settings.features}`,
    ),
  ],
  outputs: {
    out: {
      artifact: BEHAVIOR_FILE,
      placeholder: "FILE",
      describe: "The behaviour file to write, ending in .safetensors.",
      endings: [".safetensors"],
    },
  },
  run: async (inputs, settings, work) => {
    const { responses, checkpoint, warmup, concept, orthogonalToBehavior = [] } = inputs;
    const { out, signal, progress, nameOf } = work;
    const others = await Promise.all(orthogonalToBehavior.map((path) => readBehavior(path)));
    await using engine = await checkpoint.open();
    const {
      features,
      layers: read,
      parts,
    } = readingOf(settings, engine.identity, {
      reads: "responses",
      warmup,
      concept:
        concept === undefined
          ? undefined
          : await readConcept(concept, settings.conceptLayer, engine.identity),
    });
    for (const doubt of warmupDoubts(warmup)) work.warn(doubt);
    const reader = withFeatures(engine, features, parts);
    const collected = await collectActivations(reader, responses.pairs, {
      layers: read,
      maxTokens: settings.maxTokens,
      onWarning: work.warn,
      progress: progress("response pairs"),
      signal,
    });
    const measured = settings.orthogonalTo.map((name) =>
      estimateNuisance(collected, measureResponses(name, responses.pairs, collected), settings),
    );
    const given = others.map((other) => nuisanceOfBehavior(other, collected));
    const nuisances = [...given, ...measured];
    const activations = nuisances.length === 0 ? collected : projectOut(collected, nuisances);
    const means = computeBehavior(activations, {
      ...settings,
      name: settings.name ?? basename(behaviorReportPath(out.out), ".json"),
    });
    const kind = settings.probe;
    const found =
      kind === "mean-difference"
        ? means
        : await trainProbe(means, activations, { kind, signal, progress: progress("layers") });
    return writeBehavior(out.out, found, {
      files: responses.files.map((file) => ({ ...file, path: nameOf(file.path) })),
      unusable: responses.unusable,
      nuisanceDoubts: measured.flatMap(nuisanceDoubts),
    });
  },
  show: formatBehavior,
  warnings: (report) => [...(report.nuisanceDoubts ?? []), ...listBehaviorWarnings(report)],
});
