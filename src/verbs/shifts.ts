import { basename, join } from "node:path";

import { z } from "zod";

import { layersOfStates } from "../attribution/require-same-space.ts";
import { expectSameTokenizer } from "../attribution/same-tokenizer.ts";
import type { ScoringModel } from "../attribution/scoring-model.ts";
import { readBehavior, type StoredBehavior } from "../behavior/behavior-file.ts";
import { joinResponses } from "../discovery/prompt-responses.ts";
import { readStates } from "../discovery/response-states.ts";
import { describeFeatures } from "../engine/features.ts";
import {
  type MeasuredMargin,
  measureMargins,
  type NamedResponses,
} from "../forecast/measure-margins.ts";
import { measureProjections } from "../forecast/measure-projections.ts";
import { type ShiftedBehavior, type Shifts, SHIFTS } from "../forecast/shifts-file.ts";
import { ROLLOUT_MANIFEST, rolloutManifestPath } from "../rollouts/rollout-manifest.ts";
import { readRollouts } from "../rollouts/rollouts.ts";
import { describeCheckpoint } from "../store/vector-store-manifest.ts";
import { TRAIN_MANIFEST } from "../training/run-folder.ts";
import { listCounts } from "../util/commonest-first.ts";
import { ConfigError } from "../util/errors.ts";
import { maxTokens, whole } from "../util/setting-kinds.ts";
import { linesOf, printable } from "../util/text-table.ts";
import type { Checkpoint } from "./inputs/checkpoint.ts";
import { checkpointInput, engineSettings } from "./inputs/checkpoint.ts";
import { behaviorsInput, responsesInput, rolloutsInput } from "./inputs/files.ts";
import { countUnusable, openResponses } from "./inputs/responses.ts";
import { expectSampledBefore, warnOfSameRollouts } from "./inputs/same-checkpoint.ts";
import { openScoringModels, scoringInput, trainedInput } from "./inputs/scoring-models.ts";
import { resultOutput } from "./outputs.ts";
import { formatShifts } from "./show/shifts.ts";
import { defineVerb, type Input, need, type Work } from "./verb.ts";

/** Response pairs of several behaviours, each called by its file. */
const namedResponsesInput = {
  ...responsesInput,
  kind: "several responses",
  describe:
    "The response pairs of a behaviour, whose name is the file's without its ending; may be given several times.",
  isMany: true,
  isOptional: true,
  open: (paths: readonly string[], _settings: unknown, work): Promise<readonly NamedResponses[]> =>
    Promise.all(
      paths.map(async (path) => {
        const { pairs, unusable, files } = await openResponses(path, work);
        const name = basename(path).replace(/\..*$/, "");
        const hashes = files.map(({ sha256 }) => sha256);
        return { name, pairs, leftOut: countUnusable(unusable), files: hashes };
      }),
    ),
} as const satisfies Input<readonly NamedResponses[]>;

export const shifts = defineVerb({
  name: "shifts",
  summary: "How far training moved each behaviour: what a forecast is scored by",
  about: `
Measures on the checkpoints before (M0) and after (M1) training, for many behaviours at once, without a judge:

  margin      with --responses: how much likelier M1 finds the after-response, against the before-response, than M0 does; the sum
              of log-probabilities over tokens, in nats, and per token (per-token). Take response pairs that the behaviour was not
              made of.
  projection  with --before, --after, --behavior and --layer: how much further M1's rollouts lie along the behaviour's direction
              than M0's, both read on M0. What M0 does always cannot rise, so a behaviour without room does not
              move by this measure.

Each has a 95% interval over prompts. --out is what culprit forecast --score reads.

  culprit shifts --responses held-out/refuses.jsonl --responses held-out/lists.jsonl --checkpoint ./sft --trained ./dpo \\
    --out shifts.json`,
  version: 2,
  inputs: {
    responses: namedResponsesInput,
    behavior: {
      ...behaviorsInput,
      describe: "A behaviour file of states, for projections; may be given several times.",
      isOptional: true,
    },
    before: {
      ...rolloutsInput,
      describe: "Rollouts of the checkpoint before, for projections.",
      isOptional: true,
    },
    after: {
      ...rolloutsInput,
      describe: "Rollouts of the checkpoint after, for projections.",
      isOptional: true,
    },
    checkpoint: { ...scoringInput, describe: checkpointInput.describe, isOptional: false },
    trained: {
      ...trainedInput,
      describe: "The checkpoint after training, for margins; opened as the one before.",
    },
  },
  settings: z.strictObject({
    layer: whole.optional().describe("Layer of the projections. Absent: none are measured."),
    ownPrompts: z
      .boolean()
      .default(false)
      .describe(
        "Projections of a behaviour on the prompts alone that are tagged with its name. Default: on all.",
      ),
    maxTokens: maxTokens.describe(
      "Prompt and rollout together, in tokens, for projections. Absent: 2048, or the checkpoint's positions where those are fewer.",
    ),
    threads: engineSettings.shape.threads,
  }),
  check: ({ layer, ownPrompts, maxTokens: limit }, given) => {
    const forProjections = ["behavior", "before", "after"].filter((name) => given.has(name));
    return [
      ...need(
        given.has("responses") || forProjections.length > 0,
        ["responses"],
        "expected response pairs, or rollouts with behaviours, got neither",
      ),
      ...need(
        given.has("responses") === given.has("trained") || forProjections.length > 0,
        [given.has("responses") ? "trained" : "responses"],
        "expected response pairs and the trained checkpoint together",
      ),
      ...need(
        !given.has("responses") || given.has("trained"),
        ["trained"],
        "expected the trained checkpoint with response pairs, got none",
      ),
      ...need(
        forProjections.length === 0 || forProjections.length === 3,
        [["behavior", "before", "after"].find((name) => !given.has(name)) ?? "behavior"],
        "expected behaviours and rollouts of both checkpoints together",
      ),
      ...need(
        forProjections.length === 0 || layer !== undefined,
        ["layer"],
        "expected the layer of the projections, got none",
      ),
      ...need(
        forProjections.length > 0 || (layer === undefined && !ownPrompts),
        [layer === undefined ? "ownPrompts" : "layer"],
        "expected rollouts and behaviours with it, got none",
      ),
      ...need(
        forProjections.length > 0 || limit === undefined,
        ["maxTokens"],
        "expected rollouts and behaviours with it, got none: margins are of whole responses",
      ),
    ];
  },
  outputs: {
    out: { ...resultOutput(SHIFTS, "The shifts to write as JSON."), placeholder: "FILE.json" },
  },
  run: async (inputs, settings, work): Promise<Shifts> => {
    const { responses = [], behavior = [], before, after, checkpoint, trained } = inputs;
    expectNamesOnce(responses);
    const needed = { layers: settings.layer === undefined ? [] : [settings.layer], bank: false };
    const behaviors = await Promise.all(behavior.map((path) => readBehavior(path, needed)));
    expectNamesOnce(behaviors);
    if (before !== undefined && after !== undefined) {
      await warnOfSameRollouts(before, after, { name: "after", warn: work.warn });
    }
    await using models = await openScoringModels(checkpoint, trained, {
      threads: settings.threads,
      warn: work.warn,
    });
    const { checkpoint: start, trained: end } = models.sources;
    if (start === undefined) throw new Error("internal: shifts without a checkpoint");
    const { engine } = start;
    if (end !== undefined) expectSameTokenizer({ checkpoint: start, trained: end });
    const margins =
      end === undefined || responses.length === 0
        ? []
        : await measureMargins(
            responses,
            { before: start, after: end },
            {
              signal: work.signal,
              progress: work.progress("response pairs"),
              count: ({ tokens, flops }) => {
                work.cost.add(tokens, flops / Math.max(1, tokens));
              },
            },
          );
    const sampled =
      before === undefined || after === undefined
        ? undefined
        : await readSampled({ before, after }, engine);
    const projections =
      sampled === undefined || before === undefined || after === undefined
        ? []
        : await readProjections({ before, after, behaviors }, engine, settings, work);
    const identity = end?.engine.identity;
    return {
      format: "culprit-shifts",
      version: 1,
      checkpoint: describeCheckpoint(engine.identity),
      trained: trainedBy(identity, sampled),
      training: trained && (await readTraining(trained)),
      layer: projections.length === 0 ? undefined : settings.layer,
      behaviors: joinMeasures(margins, projections),
    };
  },
  show: formatShifts,
  warnings: ({ behaviors, training, checkpoint }) =>
    linesOf([
      training !== undefined &&
        training.startHash !== checkpoint.checkpointHash &&
        `the trained checkpoint says that its training began from another checkpoint than ${checkpoint.name}: what is measured is the way from here to there, and no forecast can be scored by it`,
      training === undefined &&
        "the trained checkpoint does not say what it was trained on, so nothing can tell whether a forecast is of the same pairs",
      behaviors
        .filter(({ unusable }) => unusable > 0)
        .map(
          ({ name, unusable, causes = {} }) =>
            `${printable(name)}: ${unusable} response pairs are left out: ${printable(listCounts(causes), 400)}`,
        ),
    ]),
});

function expectNamesOnce(behaviors: readonly { readonly name: string }[]): void {
  const names = behaviors.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return;
  throw new ConfigError(`responses: expected behaviours of different names, got "${twice}" twice`, {
    hint: "Behaviours are called by their files, or by culprit behavior --name.",
  });
}

/** A checkpoint that is asked. */
type Reader = ScoringModel["engine"];

/** The checkpoint that rollouts are of, as far as it was noted. */
interface Sampled {
  readonly name: string;
  readonly checkpointHash: string;
}

/** Throws ConfigError where the rollouts before are known to be another checkpoint's. */
async function readSampled(
  { before, after }: { readonly before: string; readonly after: string },
  { identity }: Pick<Reader, "identity">,
): Promise<Sampled> {
  await expectSampledBefore(before, identity);
  const found = await ROLLOUT_MANIFEST.find(rolloutManifestPath(after));
  return found?.kind === "rollouts"
    ? { name: found.checkpoint, checkpointHash: found.checkpointHash }
    : { name: after, checkpointHash: "unknown" };
}

/** Throws ConfigError where rollouts and the trained checkpoint are known to be two. */
function trainedBy(
  identity: Reader["identity"] | undefined,
  sampled: Sampled | undefined,
): Shifts["trained"] {
  const own = identity && { name: identity.name, checkpointHash: identity.checkpointHash };
  if (own !== undefined && sampled !== undefined && sampled.checkpointHash !== "unknown") {
    if (own.checkpointHash !== sampled.checkpointHash) {
      throw new ConfigError(
        `after: expected rollouts of ${own.name}, got those of ${sampled.name}`,
        { hint: "Give rollouts of the checkpoint that --trained names." },
      );
    }
  }
  const found = own ?? sampled;
  if (found === undefined) throw new Error("internal: shifts of no trained checkpoint");
  return found;
}

/** What the checkpoint says of its training: with an adapter what that says, as the folder below it may tell of an earlier training. */
async function readTraining({ folder, options }: Checkpoint): Promise<Shifts["training"]> {
  const found = await TRAIN_MANIFEST.find(join(options.adapter ?? folder, TRAIN_MANIFEST.name));
  if (found === undefined) return undefined;
  const { start, data } = found;
  return {
    startHash: start.checkpointHash,
    files: data.files.map(({ sha256 }) => sha256),
    rows: data.examples + data.unusable,
  };
}

async function readProjections(
  {
    before,
    after,
    behaviors,
  }: {
    readonly before: string;
    readonly after: string;
    readonly behaviors: readonly StoredBehavior[];
  },
  engine: Reader,
  {
    layer,
    ownPrompts,
    maxTokens: limit,
  }: { layer?: number | undefined; ownPrompts: boolean; maxTokens?: number | undefined },
  { signal, progress, warn }: Pick<Work, "signal" | "progress" | "warn">,
): Promise<ReturnType<typeof measureProjections>> {
  if (layer === undefined) return []; // check
  for (const behavior of behaviors) {
    if (behavior.head.features !== undefined) {
      throw new ConfigError(
        `behavior "${behavior.name}": expected one of states, got ${describeFeatures(behavior.head.features)}`,
      );
    }
    layersOfStates(engine.identity, behavior, [layer]);
  }
  const joined = await joinResponses(
    readRollouts(before, { signal }),
    readRollouts(after, { signal }),
  );
  const states = await readStates(engine, joined.prompts, {
    layers: [layer],
    maxTokens: limit,
    signal,
    progress: progress("prompts"),
  });
  if (joined.leftOut > 0) {
    warn(
      `${joined.leftOut} prompts left out: fewer than two responses with text of one checkpoint`,
    );
  }
  const [unread] = states.unusable;
  if (unread !== undefined) {
    warn(
      `${states.unusable.length} prompts left out that the checkpoint cannot read; the first, "${printable(unread.id)}": ${printable(unread.detail, 300)}`,
    );
  }
  return measureProjections(states, behaviors, ownPrompts);
}

function joinMeasures(
  margins: readonly MeasuredMargin[],
  projections: ReturnType<typeof measureProjections>,
): readonly ShiftedBehavior[] {
  const names = new Set([...margins, ...projections].map(({ name }) => name));
  return [...names].map((name) => {
    const own = margins.find((each) => each.name === name);
    const projection = projections.find((each) => each.name === name)?.projection;
    return {
      name,
      margin: own?.margin,
      "per-token": own?.perToken,
      projection,
      tokens: own?.tokens,
      responses: own === undefined || own.files.length === 0 ? undefined : own.files,
      unusable: own?.unusable ?? 0,
      causes: own === undefined || own.unusable === 0 ? undefined : own.causes,
    };
  });
}
