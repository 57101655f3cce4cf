import type { PartValues } from "../../../src/report/report-source.ts";

export type Result = NonNullable<PartValues["overview"]["result"]>;
export type Evaluation = NonNullable<Result["evaluation"]>;

/** Whether an arm was edited by the ranking, at random, or not at all. */
/** Arms that were trained on one tenth of a ranking, which have a chart of their own. */
export const isTenth = ({ edits }: Result, arm: string): boolean =>
  edits.some((edit) => edit.arm === arm && edit.action === "tenth");

export function armKind(result: Result, arm: string): "plain" | "chosen" | "random" {
  const edit = result.edits.find((each) => each.arm === arm);
  if (edit === undefined) return "plain";
  if (edit.pick === "bottom") return "plain";
  return edit.pick === "chosen" ? "chosen" : "random";
}
