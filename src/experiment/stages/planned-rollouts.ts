import { longestRollouts } from "../../rollouts/longest-rollouts.ts";
import type { Rollout } from "../../rollouts/rollouts.ts";
import { scenarioPrompts } from "../../rollouts/scenarios.ts";
import type { ExperimentInputs } from "../experiment-inputs.ts";
import type { Experiment } from "../schema.ts";

/** The rollouts of a stage. */
export const ROLLOUTS_NAME = "rollouts.jsonl";

export type RolloutKind = "rollouts" | "evaluation-rollouts";

/** Whose rollouts a stage samples. */
export interface PlannedRolloutsOf {
  readonly kind: RolloutKind;
  readonly experiment: Experiment;
  readonly inputs: ExperimentInputs;
}

/** What a stage samples: for the probe, or to measure. */
export function whatToSample({ kind, experiment, inputs }: PlannedRolloutsOf): {
  readonly scenarios: NonNullable<ExperimentInputs["probe"]>;
  readonly variants: readonly string[];
  readonly rollouts: number;
} {
  const { probe, evaluation } = experiment;
  if (kind === "rollouts" && probe !== undefined && inputs.probe !== undefined) {
    const { plain, trigger, rollouts } = probe;
    return { scenarios: inputs.probe, variants: [plain, trigger], rollouts };
  }
  if (evaluation === undefined || inputs.evaluation === undefined) {
    throw new Error("internal: no scenarios to sample");
  }
  const { variants, rollouts } = evaluation;
  return { scenarios: inputs.evaluation, variants, rollouts };
}

/** The rollouts that a stage will sample, each with a response of the greatest length and no meaning; for estimates. */
export function plannedRollouts(of: PlannedRolloutsOf): Generator<Omit<Rollout, "finish">> {
  const { scenarios, variants, rollouts } = whatToSample(of);
  const { maxTokens } = of.experiment.sampling;
  return longestRollouts(scenarioPrompts(scenarios, variants), { samples: rollouts, maxTokens });
}
