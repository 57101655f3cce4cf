import type { ExperimentResult } from "../runs/result.ts";
import { mostTelling } from "./tested-edit.ts";

/** Sizes of the tops that the run's edits by one ranking took, that of the most telling edit first; none where the run has not ended. */
export function editedTops(
  result: Pick<ExperimentResult, "edits" | "evaluation" | "trigger"> | undefined,
  label: string,
): readonly number[] {
  if (result === undefined) return [];
  const best = mostTelling(result)?.edit;
  const ofRanking = [...(best === undefined ? [] : [best]), ...result.edits].filter(
    ({ method, pick }) => method === label && pick === "chosen",
  );
  return [...new Set(ofRanking.flatMap(({ top }) => top ?? []))];
}
