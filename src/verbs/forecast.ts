import { z } from "zod";

import { openBehavior } from "../behavior/behavior-file.ts";
import { MIN_CALIBRATING } from "../forecast/folds.ts";
import { type Forecast, FORECAST, type HOLDOUTS } from "../forecast/forecast-file.ts";
import { makeForecast } from "../forecast/make-forecast.ts";
import { clusterByPrompt, type PairClusters, singlePairs } from "../forecast/pair-clusters.ts";
import { pickBehaviors } from "../forecast/pick-behaviors.ts";
import { scoreForecast } from "../forecast/score-forecast.ts";
import { MEASURES, SHIFTS } from "../forecast/shifts-file.ts";
import type { PairSet } from "../pairs/open-pairs.ts";
import type { VectorStore } from "../store/open-store.ts";
import { openStore } from "../store/open-store.ts";
import { reopenPairs } from "../store/reopen-pairs.ts";
import { ConfigError } from "../util/errors.ts";
import { count, positive, seed } from "../util/setting-kinds.ts";
import { linesOf, printable } from "../util/text-table.ts";
import { engineSettings } from "./inputs/checkpoint.ts";
import { behaviorsInput, otherFile, warnOfMixedVectors } from "./inputs/files.ts";
import { forecastInput } from "./inputs/forecast.ts";
import { pairsInput } from "./inputs/pairs.ts";
import { expectSamePairs } from "./inputs/same-pairs.ts";
import { resultOutput } from "./outputs.ts";
import { by, layers } from "./settings/common.ts";
import { formatForecast } from "./show/forecast.ts";
import { defineVerb, type Input, need, type Work } from "./verb.ts";

/** Files that nobody named are read for their prompts up to this size. */
const MAX_BYTES = 256e6;
const MAX_REPLICATES = 100_000;

const storesInput = {
  kind: "stores",
  placeholder: "STORE",
  describe:
    "Vector stores of the same pairs on the checkpoint before training, each of other features: states, and where wanted influence or gradient.",
  isPositional: true,
  isMany: true,
  isOptional: true,
  open: async (paths, _settings, { warn }) => {
    const stores = await Promise.all(paths.map((path) => openStore(path)));
    for (const store of stores) warnOfMixedVectors(store, warn);
    return stores;
  },
} as const satisfies Input<readonly VectorStore[]>;

export const forecast = defineVerb({
  name: "forecast",
  summary: "How far DPO on the pairs will move each of many behaviours, before any training",
  about: `
STORE are folders that culprit embed wrote, of the same pairs on the checkpoint before training (M0): one of states, and one of
influence or gradient features where you have them. --behavior are files of culprit behavior made with that checkpoint, every
behaviour once for each store, told by its name. Nothing is trained and M1 is not looked at.

For each behaviour and store, means over the pairs with 95% intervals over prompts:
  projection  how far a pair moves along the behaviour's direction, chosen less rejected; with p, how often directions of random
              signs lie as far from the pairs
  cosine      the same without the pairs' lengths
  share       of the pairs: those above what null directions reach in one of twenty, less those below
  product     projection times the length of the behaviour's vector; of influence and gradient features what a small step of DPO
              does to the behaviour's log-probability margin, up to a factor

--score compares with what training did, a file of culprit shifts. Each forecast is calibrated on other behaviours than the one
forecast (--holdout): by ridge regression through the origin of the observed shifts on all predictors together (combination), on
each alone, and on two baselines, length (mean tokens by which after-responses are longer) and margin (M0's own log-probability
margin); no-change is 0. Printed: R², share of right signs, slope and intercept of observed on predicted, and every behaviour
with hit or miss. --calibrate takes the calibration of an earlier scored forecast on the same M0 instead: of other pairs, or of
other behaviours.

Cells of topic (--by) and behaviour, with d, z and whether two halves of the prompts agree on the sign, are in the JSON.

  culprit behavior refuses.jsonl --checkpoint ./sft --layers 20 --name refuses --out refuses.states.safetensors
  culprit behavior refuses.jsonl --checkpoint ./sft --layers 32 --name refuses --features influence \\
    --out refuses.influence.safetensors
  culprit forecast states/ influence/ --behavior refuses.states.safetensors --behavior refuses.influence.safetensors \\
    --out forecast.json
  culprit forecast --forecast forecast.json --score shifts.json --out scored.json`,
  version: 1,
  inputs: {
    store: storesInput,
    behavior: { ...behaviorsInput, isOptional: true },
    pairs: {
      ...pairsInput,
      describe:
        "Files of the preference pairs, to take pairs of one prompt together. Absent: the store's own, where they are still there.",
      isPositional: false,
      isOptional: true,
    },
    forecast: forecastInput("A forecast made before, to be scored; instead of STORE."),
    calibrate: forecastInput(
      "A scored forecast on the same checkpoint, whose calibration is used.",
    ),
    score: {
      ...otherFile("shifts", SHIFTS.name, {
        placeholder: "FILE.json",
        describe: "What training did to the behaviours, as culprit shifts writes it.",
      }),
      isOptional: true,
    },
  },
  settings: z.strictObject({
    layers: layers.optional().meta({
      description:
        "Layers of which each store has one. Absent: the store's own, where it has a single one.",
      placeholder: "LIST",
    }),
    by: by.describe("Kept column that counts as the topic. Absent: source, where there is one."),
    measure: z
      .enum(MEASURES)
      .optional()
      .describe(
        "The shift that is forecast: of log-probability margins, of margins per token, or of rollouts' projections. Absent: margin, where it was measured.",
      ),
    holdout: z
      .enum(["leave-one-out", "leave-family-out", "split"] satisfies Exclude<
        (typeof HOLDOUTS)[number],
        "given"
      >[])
      .optional()
      .describe(
        "How behaviours are held out of calibration: each in turn; each with its family, those whose names begin with the same word up to a hyphen; or a random half. Absent: leave-one-out, where no calibration is given.",
      ),
    ridge: positive
      .optional()
      .describe(
        "Penalty of the calibration's weights, for predictors at root mean square 1. Absent: 1, where no calibration is given.",
      ),
    replicates: count
      .max(MAX_REPLICATES)
      .optional()
      .describe("Bootstrap samples of the behaviours for the interval of R². Absent: 2000."),
    seed: seed
      .optional()
      .describe(
        "Seed of halves, split and bootstrap. Absent: 0, of a forecast that was made its own.",
      ),
    threads: engineSettings.shape.threads,
  }),
  check: ({ layers: asked, by: topics, threads, ...scoring }, given) => [
    ...need(
      given.has("store") !== given.has("forecast"),
      ["store"],
      "expected vector stores to forecast from, or a forecast that was made, one of the two",
    ),
    ...need(
      given.has("store") === given.has("behavior"),
      ["behavior"],
      "expected behaviours with stores, and none with a forecast that was made",
    ),
    ...need(
      !given.has("forecast") || given.has("score"),
      ["score"],
      "expected what training did with a forecast that was made, got nothing to do",
    ),
    ...need(
      !given.has("forecast") || !given.has("calibrate"),
      ["calibrate"],
      "expected none with a forecast that was made: it has its own calibration or none",
    ),
    ...Object.entries({ layers: asked, by: topics, threads }).flatMap(([name, value]) =>
      need(
        !given.has("forecast") || value === undefined,
        [name],
        "expected none with a forecast that was made: it has read its stores",
      ),
    ),
    ...need(
      !given.has("forecast") || !given.has("pairs"),
      ["pairs"],
      "expected none with a forecast that was made: it has read its stores",
    ),
    ...(["measure", "holdout", "ridge", "replicates"] as const).flatMap((name) =>
      need(
        given.has("score") || scoring[name] === undefined,
        [name],
        "expected none without what training did: --score is what it is for",
      ),
    ),
    ...(["holdout", "ridge"] as const).flatMap((name) =>
      need(
        !given.has("calibrate") || scoring[name] === undefined,
        [name],
        "expected none with a calibration that was given: nothing is calibrated anew",
      ),
    ),
  ],
  outputs: {
    out: { ...resultOutput(FORECAST, "The forecast to write as JSON."), placeholder: "FILE.json" },
  },
  run: async (inputs, settings, work): Promise<Forecast> => {
    const made = inputs.forecast ?? (await makeFrom(inputs, settings, work));
    if (inputs.score === undefined) return made;
    const shifts = await SHIFTS.read(inputs.score);
    const { measure, seed: drawn } = settings;
    const { holdout, ridge: lambda = 1, replicates = 2000 } = settings;
    if (made.calibration !== undefined && (holdout ?? settings.ridge) !== undefined) {
      throw new ConfigError(
        `${holdout === undefined ? "ridge" : "holdout"}: expected none, as the forecast was made by a calibration`,
      );
    }
    const score = scoreForecast(made, shifts, {
      measure,
      holdout: holdout ?? "leave-one-out",
      lambda,
      replicates,
      seed: drawn,
    });
    return { ...made, score };
  },
  show: formatForecast,
  warnings: ({ pairs, behaviors, score }) =>
    linesOf([
      pairs.clusteredBy === "pair" &&
        "intervals take every pair as independent: the pair files are not at hand; --pairs names them",
      behaviors
        .filter(({ doubts }) => doubts.length > 0)
        .map(
          ({ name, doubts }) =>
            `${printable(name)}: not stable, ${printable(doubts.join("; "), 200)}`,
        ),
      score !== undefined &&
        score.samePairs === "unknown" &&
        "nothing says what the trained checkpoint was trained on: take care that it was these pairs",
      score !== undefined &&
        score.unobserved.length > 0 &&
        `no observed shift of ${printable(score.unobserved.join(", "), 200)}`,
      score !== undefined &&
        score.unforecast.length > 0 &&
        `no forecast of ${printable(score.unforecast.join(", "), 200)}`,
      score?.ownResponses !== undefined &&
        `scored by the very response pairs that they were made of, which flatters a forecast: ${printable(score.ownResponses.join(", "), 200)}`,
      score?.noR2 !== undefined && `no R²: ${score.noR2}`,
      score !== undefined &&
        score.holdout !== "given" &&
        score.heldOut < 2 * MIN_CALIBRATING &&
        `${score.heldOut} behaviours are few to judge a forecast by`,
    ]),
});

interface ForecastInputs {
  readonly store?: readonly VectorStore[] | undefined;
  readonly behavior?: readonly string[] | undefined;
  readonly pairs?: PairSet | undefined;
  readonly calibrate?: Forecast | undefined;
}

async function makeFrom(
  { store = [], behavior = [], pairs, calibrate }: ForecastInputs,
  settings: z.output<typeof forecast.settings>,
  work: Pick<Work, "signal" | "progress" | "note">,
): Promise<Forecast> {
  const { signal, progress } = work;
  const behaviors = await Promise.all(behavior.map(openBehavior));
  const asked = settings.layers === "all" ? undefined : settings.layers;
  const stores = pickBehaviors(store, behaviors, asked);
  const [first] = store;
  expectSamePairs({ store: first, pairs });
  const made = await makeForecast(stores, {
    calibration: calibrate && calibrationOf(calibrate, stores),
    cluster: first && ((ids) => clusterPairs(ids, first, pairs, work)),
    by: settings.by,
    seed: settings.seed ?? 0,
    threads: settings.threads,
    signal,
    progress,
  });
  if (calibrate !== undefined) expectUnseen(calibrate, made);
  return made;
}

/** By prompt, where the text of the pairs is at hand. */
async function clusterPairs(
  ids: readonly string[],
  store: VectorStore,
  pairs: PairSet | undefined,
  { signal, progress, note }: Pick<Work, "signal" | "progress" | "note">,
): Promise<PairClusters> {
  const found =
    pairs === undefined
      ? await reopenPairs(store, { signal, maxBytes: MAX_BYTES })
      : ({ kind: "pairs", pairs } as const);
  if (found.kind === "pairs") {
    return clusterByPrompt(ids, found.pairs, { signal, progress: progress("prompts") });
  }
  note(`no prompts of the pairs: of the store's pair files, ${found.reason}`);
  return singlePairs(ids.length);
}

/** Throws ConfigError where there is none, or it is of another checkpoint or other layers: its weights mean nothing there. */
function calibrationOf(
  { score, checkpoint, stores }: Forecast,
  asked: ReturnType<typeof pickBehaviors>,
): NonNullable<Forecast["calibration"]> {
  if (score === undefined) {
    throw new ConfigError("calibrate: expected a scored forecast, got one without a score", {
      hint: "culprit forecast --forecast FILE --score SHIFTS --out SCORED makes one.",
    });
  }
  const own = asked[0]!.store.manifest.checkpoint; // pickBehaviors refuses none
  if (own.checkpointHash !== checkpoint.checkpointHash) {
    throw new ConfigError(
      `calibrate: expected a forecast on ${own.name}, got one on another checkpoint (${checkpoint.name})`,
    );
  }
  const list = (all: readonly { readonly features: string; readonly layer: number }[]): string =>
    all.map(({ features, layer }) => `${features} at layer ${layer}`).join(", ");
  if (list(stores) !== list(asked)) {
    throw new ConfigError(
      `calibrate: expected ${list(asked)} like the stores, got ${list(stores)}`,
    );
  }
  return score.calibration;
}

/**
 * Throws ConfigError where the calibration has seen the shifts that are to be forecast: of these behaviours, by these pairs. A behaviour
 * under another name is known by its figures.
 */
function expectUnseen({ score, behaviors: earlier }: Forecast, made: Forecast): void {
  if (score?.calibration.pairsHash !== made.pairs.contentHash) return;
  const known = earlier.filter(({ name }) => score.calibration.behaviors.includes(name));
  const seen = made.behaviors.filter(
    ({ name, values }) =>
      score.calibration.behaviors.includes(name) ||
      known.some((each) => areSame(each.values, values)),
  );
  if (seen.length === 0) return;
  throw new ConfigError(
    `calibrate: expected a calibration that has not seen these shifts, got one on the same pairs by ${seen.length} of these behaviours: ${printable(seen.map(({ name }) => name).join(", "), 200)}`,
    {
      hint: "Give one of other pairs, or leave these behaviours out. Without --calibrate each is held out in turn.",
    },
  );
}

/** Figures of one behaviour differ in their last digits by how many were made beside them. */
const LAST_DIGITS = 1e-5;

type Values = Forecast["behaviors"][number]["values"];

function areSame(a: Values, b: Values): boolean {
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => {
      const [one, other] = [a[name]!.value, b[name]?.value];
      if (other === undefined) return false;
      return Math.abs(one - other) <= LAST_DIGITS * Math.max(Math.abs(one), Math.abs(other));
    })
  );
}
