import { edit } from "../../verbs/edit.ts";
import type { Arm } from "../arms.ts";
import type { ExperimentInputs } from "../experiment-inputs.ts";
import { boundPairs } from "../pair-inputs.ts";
import type { Experiment } from "../schema.ts";
import type { Stage } from "../stage.ts";
import { verbStage } from "../verb-stage.ts";
import { methodStage } from "./rank.ts";

/** Decides which pairs an arm edits. Random arms are drawn anew for each seed. */
export function editStage(
  experiment: Experiment,
  arm: Arm,
  seed: number,
  { pairs }: ExperimentInputs,
): Stage {
  const { action, pick, top, sources, by, minLift } = arm;
  const bound = boundPairs(pairs);
  return verbStage(edit, {
    kind: "edit",
    name: editName(arm, seed),
    settings: { action, pick, top, sources, minLift, seed: pick === "chosen" ? undefined : seed },
    inputs: {
      pairs: { ...bound, settings: { ...bound.settings, by }, open: () => ({ pairs, by }) },
      ranking: { stage: methodStage(experiment, "rank", arm.method) },
    },
    outputs: ["plan"],
  });
}

/** The stage's name: one for all seeds where nothing is drawn. */
export function editName(arm: Arm, seed: number): string {
  return arm.pick === "chosen" ? arm.id : `${arm.id}-seed${seed}`;
}
