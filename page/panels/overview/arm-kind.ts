import type { PartValues } from "../../../src/report/report-source.ts";

export type Result = NonNullable<PartValues["overview"]["result"]>;
export type Evaluation = NonNullable<Result["evaluation"]>;

/** Whether an arm was edited by the ranking, at random, or not at all. */
export function armKind(result: Result, arm: string): "plain" | "chosen" | "random" {
  const edit = result.edits.find((each) => each.arm === arm);
  if (edit === undefined) return "plain";
  return edit.pick === "chosen" ? "chosen" : "random";
}
