import type { BehaviorReport } from "../../behavior/behavior-file.ts";
import type { LayerDiagnostics } from "../../behavior/diagnostics.ts";
import type { Measured } from "../../behavior/measured.ts";
import { fixed, type Interval, percent, withInterval } from "../../util/figures.ts";
import { type Column, tableOf } from "../../util/text-table.ts";

/** A row for each layer; "-" where the data allow no figure. */
const COLUMNS: readonly Column<LayerDiagnostics>[] = [
  ["layer", ({ layer }) => layer],
  ["length (share)", (of) => `${of.norm.toPrecision(3)} (${percent(of.relativeNorm)})`],
  ["split-half [95%]", ({ splitHalf }) => measured(splitHalf, formatMean)],
  ["reliability", ({ splitHalf }) => measured(splitHalf, (of) => of.reliability?.toFixed(3))],
  ["bootstrap [95%]", ({ bootstrap }) => measured(bootstrap, formatMean)],
  ["null p", ({ normNull }) => measured(normNull, ({ p }) => p.toFixed(3))],
  ["one-out", ({ leaveOneOut }) => measured(leaveOneOut, ({ mean }) => mean.toFixed(3))],
  ["separation", ({ separation }) => measured(separation, ({ ratio }) => ratio.toFixed(2))],
  ["AUROC [95%]", ({ heldOut }) => measured(heldOut, formatAuroc)],
  ["stable", ({ isStable }) => (isStable ? "yes" : "no")],
];

/** What `culprit behavior` prints: the counts, then the layers. */
export function formatBehavior(report: BehaviorReport): string {
  const { counts, scenarioIds } = report;
  return [
    `behavior "${report.name}" on ${report.checkpoint.name}, after minus before`,
    `${counts.pairs} response pairs, ${counts.prompts} prompts, ${scenarioIds.length} scenarios; ` +
      `${counts.unusable} unusable, ${counts.truncated} cut at ${report.maxTokens} tokens`,
    `${report.probe}, every ${report.weighting === "rollout" ? "response pair" : "scenario"} counts the same; layer l is the residual stream after l blocks`,
    ...(report.orthogonalTo.length === 0
      ? []
      : [`orthogonal to ${report.orthogonalTo.join(", ")}`]),
    "",
    ...tableOf(report.diagnostics, COLUMNS, "right"),
    "",
    describeChoice(report.layerChoice),
    "steering effect: not measured here; culprit steer --layers all shows it beside these figures",
  ].join("\n");
}

/** Which layer is chosen, and why. */
export function describeChoice(choice: BehaviorReport["layerChoice"]): string {
  const what = choice.kind === "chosen" ? `layer ${choice.layer}` : "no layer";
  return `${what} chosen: ${choice.reason}`;
}

/** What the user must know before trusting the vectors, one line each; see judgeStability for the rule. */
export function listBehaviorWarnings(report: BehaviorReport): string[] {
  const unstable = report.diagnostics.filter((layer) => !layer.isStable);
  const lines = unstable.map(
    ({ layer, doubt }) => `layer ${layer}: the vector is not stable: ${doubt}`,
  );
  if (report.unusable.length > 0) {
    const first = report.unusable.slice(0, 3).map(describeUnusable);
    const rest = report.unusable.length > 3 ? ", …" : "";
    lines.push(
      `${report.unusable.length} unusable response pairs, listed in the JSON report: ${first.join(", ")}${rest}`,
    );
  }
  return lines;
}

function describeUnusable(each: BehaviorReport["unusable"][number]): string {
  return "id" in each ? `"${each.id}" (${each.reason})` : `row ${each.fileRow} (${each.reason})`;
}

const formatMean = (of: Interval & { readonly mean: number }): string =>
  withInterval(of.mean, of, fixed(3));

/** Of held-out prompts. */
export const formatAuroc = (of: Interval & { readonly auroc: number }): string =>
  withInterval(of.auroc, of, fixed(3));

/** A figure, where the data allow one. */
export function measured<T>(
  figure: Measured<T>,
  format: (figure: T) => string | undefined,
): string | undefined {
  return figure.kind === "measured" ? format(figure) : undefined;
}
