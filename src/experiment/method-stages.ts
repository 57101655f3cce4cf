/** @file What the stages of an attribution method are called. */
import { methodLabel } from "../verbs/settings/methods.ts";
import type { Experiment } from "./sections.ts";
import { stageId } from "./stage.ts";

/** The name of the rank or quality stage of a method: the first has none of its own, so that others may be added beside it. */
export function methodName({ rank: { methods } }: Experiment, label: string): string {
  const [first] = methods;
  return first !== undefined && methodLabel(first) === label ? "" : label;
}

export function rankId(experiment: Experiment, label: string): string {
  return stageId({ kind: "rank", name: methodName(experiment, label) });
}

export function qualityId(experiment: Experiment, label: string): string {
  return stageId({ kind: "quality", name: methodName(experiment, label) });
}
