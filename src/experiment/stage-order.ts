/** @file Which stages wait for others of which they read nothing. */
import { type Stage, stageId } from "./stage.ts";

/** Those that add reference log-probabilities to the experiment's cache. */
const TRAINING = new Set(["warmup", "train", "retrain"]);

/**
 * The same stages, with what each waits for. What the audit finds may end the run, so all others wait for it. The first training on all
 * pairs leaves the reference log-probabilities of every pair in the cache, where the others find them; without it the trainings run one
 * after another. Two that computed them side by side would share them out among their batches by chance, and their last digits with them.
 */
export function withWaits(stages: readonly Stage[]): readonly Stage[] {
  const audits = stages.filter(({ kind }) => kind === "audit").map(stageId);
  const trainings = stages.filter(({ kind }) => TRAINING.has(kind));
  const whole = trainings.findIndex(({ kind }) => kind === "train");
  return stages.map((stage) => {
    if (stage.kind === "audit") return stage;
    const at = trainings.indexOf(stage);
    const first = whole >= 0 && at > whole ? trainings[whole] : trainings[at - 1];
    return { ...stage, after: [...audits, ...(first === undefined ? [] : [stageId(first)])] };
  });
}
