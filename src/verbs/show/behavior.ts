import type { BehaviorReport } from "../../behavior/behavior-file.ts";
import type { LayerDiagnostics } from "../../behavior/diagnostics.ts";
import type { Measured } from "../../behavior/measured.ts";

const HEADINGS = [
  "layer",
  "length (share)",
  "split-half [95%]",
  "reliability",
  "bootstrap [95%]",
  "null p",
  "one-out",
  "separation",
  "AUROC [95%]",
  "stable",
];

/** What `culprit behavior` prints: the counts, then a row for each layer; "-" where the data allow no figure. */
export function formatBehavior(report: BehaviorReport): string {
  const { counts, scenarioIds } = report;
  const rows = [HEADINGS, ...report.diagnostics.map(layerRow)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return [
    `behavior "${report.name}" on ${report.checkpoint.name}, after minus before`,
    `${counts.pairs} response pairs, ${counts.prompts} prompts, ${scenarioIds.length} scenarios; ` +
      `${counts.unusable} unusable, ${counts.truncated} cut at ${report.maxTokens} tokens`,
    `${report.probe}, every ${report.weighting === "rollout" ? "response pair" : "scenario"} counts the same; layer l is the residual stream after l blocks`,
    ...(report.orthogonalTo.length === 0
      ? []
      : [`orthogonal to ${report.orthogonalTo.join(", ")}`]),
    "",
    ...rows.map((row) => row.map((cell, i) => cell.padStart(widths[i]!)).join("  ")),
    "",
    describeChoice(report.layerChoice),
    "steering effect: not measured here; culprit steer --layers all shows it beside these figures",
  ].join("\n");
}

function describeChoice(choice: BehaviorReport["layerChoice"]): string {
  return choice.kind === "chosen"
    ? `layer ${choice.layer} chosen: ${choice.reason}`
    : `no layer chosen: ${choice.reason}`;
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

function layerRow(layer: LayerDiagnostics): string[] {
  return [
    `${layer.layer}`,
    `${layer.norm.toPrecision(3)} (${(layer.relativeNorm * 100).toFixed(1)}%)`,
    show(layer.splitHalf, formatInterval),
    show(layer.splitHalf, ({ reliability }) => reliability?.toFixed(3) ?? "-"),
    show(layer.bootstrap, formatInterval),
    show(layer.normNull, ({ p }) => p.toFixed(3)),
    show(layer.leaveOneOut, ({ mean }) => mean.toFixed(3)),
    show(layer.separation, ({ ratio }) => ratio.toFixed(2)),
    show(layer.heldOut, ({ auroc, ...rest }) => formatInterval({ mean: auroc, ...rest })),
    layer.isStable ? "yes" : "no",
  ];
}

function formatInterval(of: { mean: number; low: number; high: number }): string {
  return `${of.mean.toFixed(3)} [${of.low.toFixed(3)}, ${of.high.toFixed(3)}]`;
}

function show<T>(figure: Measured<T>, format: (figure: T) => string): string {
  return figure.kind === "measured" ? format(figure) : "-";
}
