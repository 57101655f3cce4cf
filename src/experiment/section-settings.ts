/** @file The settings of verbs as the sections of an experiment file give them. */
import type { z } from "zod";

import { findMethod } from "../attribution/methods/index.ts";
import type { FeatureKind } from "../engine/features.ts";
import {
  DEFAULT_PROJECT_OUT_AT,
  DEFAULT_STRENGTHS,
  DEFAULT_HALVINGS,
} from "../steering/steer-settings.ts";
import type { SteeringMode } from "../steering/steering-report.ts";
import { judgingSettings, type JudgingSettings } from "../verbs/settings/judging.ts";
import type { SamplingSettings } from "../verbs/settings/sampling.ts";
import type { SteeringSettings } from "../verbs/settings/steering.ts";
import { trainingSettings } from "../verbs/settings/training.ts";
import { type Experiment, WARMUP_DEFAULTS } from "./sections.ts";

type JudgeSection = NonNullable<Experiment["judge"]>;

/** What judges: `rules`, `rubric` or, where people do, `labels`. */
export function judgedBy({ rules, rubric, meaning }: JudgeSection): ReadonlySet<string> {
  const ways = { rules, rubric, labels: meaning };
  return new Set(
    Object.entries(ways)
      .filter(([, value]) => value !== undefined)
      .map(([name]) => name),
  );
}

/** How it judges, without what judges. */
export function judgingOf({
  rules: _r,
  rubric: _u,
  labels: _l,
  meaning: _m,
  thinking: _t,
  ...how
}: JudgeSection): JudgingSettings {
  return how;
}

/** How responses are sampled. */
export function samplingOf({
  endpoints: _e,
  rollouts: _r,
  ...sampling
}: Experiment["generate"]): SamplingSettings {
  return sampling;
}

type Steered = Pick<Experiment, "steer" | "generate" | "judge">;

/** How a checkpoint is steered, as the section has it: with settings of the other mode too. */
export function writtenSteerSettings(
  { steer: section, generate, judge }: Steered,
  mode: SteeringMode,
): SteeringSettings {
  const { modes: _m, on: _o, variants: _v, limit: _l, ...how } = section!; // whoever steers has it
  return {
    ...how,
    mode,
    otherCheckpoint: false,
    sampling: samplingOf(generate),
    judge: judge === undefined ? judgingSettings.parse({}) : judgingOf(judge),
  };
}

/** How a checkpoint is steered in one mode; settings of the other mode are left at their defaults. */
export function steerSettings(given: Steered, mode: SteeringMode): SteeringSettings {
  const others: Partial<SteeringSettings> =
    mode === "add"
      ? { projectOutAt: DEFAULT_PROJECT_OUT_AT }
      : { strength: "auto", grid: [...DEFAULT_STRENGTHS], halvings: DEFAULT_HALVINGS };
  return { ...writtenSteerSettings(given, mode), ...others };
}

/** How the training run is made that methods read gradients along. */
export function warmupSettings({
  warmup = WARMUP_DEFAULTS,
}: Pick<Experiment, "warmup">): z.output<typeof trainingSettings> {
  const { lora, ...others } = warmup;
  return {
    ...trainDefaults,
    ...others,
    lora: lora ?? undefined,
    keepStates: true,
  };
}

/** What of training a warm-up has no setting for. */
const trainDefaults = trainingSettings.parse({ learningRate: 1 });

/** What the behaviour is read as for the experiment's methods, each once. */
export function askedFeatures(experiment: Pick<Experiment, "rank">): readonly FeatureKind[] {
  const asked = experiment.rank.methods.flatMap(({ name }) => {
    const { needs, features = "states", behaviorFeatures = features } = findMethod(name);
    return needs.includes("behavior") ? [behaviorFeatures] : [];
  });
  return [...new Set(asked)];
}

/** The features of the experiment's methods, each once. Methods without any rank the rows of the first store. */
export function featuresOfMethods({
  rank: { methods },
}: Pick<Experiment, "rank">): readonly FeatureKind[] {
  const kinds = methods.flatMap(({ name }) => {
    const { needs, features = "states" } = findMethod(name);
    return needs.includes("store") ? [features] : [];
  });
  return kinds.length === 0 ? ["states"] : [...new Set(kinds)];
}
