import type { AuditReport, LengthComparison } from "../../pairs/audit-report.ts";
import type { Share } from "../../stats/wilson.ts";
import { percent } from "../../util/figures.ts";

/** Rows of one table, at most; the JSON report has all of them. */
const MAX_TABLE_ROWS = 20;

/** What `culprit audit` prints. */
export function formatAudit(
  report: AuditReport,
  written: { readonly out: string | undefined; readonly unusable: string | undefined },
): string {
  return [
    ...rowsSection(report, written.unusable),
    ...lengthsSection(report),
    ...sourcesSection(report),
    ...generatorsSection(report),
    ...duplicatesSection(report),
    ...truncationSection(report),
    ...turnsSection(report),
    "",
    report.warnings.length === 0 ? "No warnings." : "Warnings",
    ...report.warnings.map((line) => `  ${line}`),
    ...(written.out === undefined ? [] : ["", `Report written to ${written.out}`]),
  ].join("\n");
}

function rowsSection(report: AuditReport, unusablePath: string | undefined): string[] {
  const reasons = Object.entries(report.unusable.byReason);
  return [
    `${report.files.length === 1 ? printable(report.files[0]!.path) : `${report.files.length} files`}: ${report.rows} rows, ${report.usable} usable pairs, ${report.unusable.count} unusable rows`,
    `shape ${report.shapeReason}`,
    `columns kept: ${report.columns.length === 0 ? "none" : report.columns.map((name) => printable(name)).join(", ")}`,
    ...(reasons.length === 0
      ? []
      : [
          "",
          ...table([["unusable", "rows"], ...reasons.map(([why, count]) => [why, `${count}`])]),
        ]),
    ...(unusablePath === undefined
      ? report.unusableExamples.map(
          (row) =>
            `  ${printable(row.file)}, row ${row.fileRow}: ${row.reason}: ${printable(row.detail)}`,
        )
      : [`unusable rows are listed in ${unusablePath}`]),
  ];
}

function lengthsSection({ lengths }: AuditReport): string[] {
  if (lengths.length === 0) return [];
  return [
    "",
    ...table([
      [
        "length in",
        "chosen mean",
        "median",
        "p90",
        "rejected mean",
        "median",
        "p90",
        "longer is chosen [95%]",
        "ties",
      ],
      ...lengths.map((each) => [
        each.unit,
        ...summaryCells(each),
        shareCell(each.longerChosen),
        `${each.ties}`,
      ]),
    ]),
  ];
}

function sourcesSection({ sources }: AuditReport): string[] {
  if (sources.length === 0) return ["", "no source column"];
  return [
    "",
    ...table([
      [
        "source",
        "pairs",
        "share",
        "chosen mean",
        "rejected mean",
        "longer is chosen [95%]",
        "near-identical",
      ],
      ...sources
        .slice(0, MAX_TABLE_ROWS)
        .map((each) => [
          printable(each.source ?? "(none)"),
          `${each.pairs}`,
          percent(each.share),
          each.lengths.chosen.mean.toFixed(0),
          each.lengths.rejected.mean.toFixed(0),
          shareCell(each.lengths.longerChosen),
          `${each.nearIdentical}`,
        ]),
    ]),
    ...more(sources.length),
  ];
}

function generatorsSection({ generators }: AuditReport): string[] {
  if (generators.length === 0) return [];
  return [
    "",
    ...table([
      ["generator", "chosen", "rejected", "share of sides", "wins [95%]"],
      ...generators
        .slice(0, MAX_TABLE_ROWS)
        .map((each) => [
          printable(each.generator),
          `${each.chosen}`,
          `${each.rejected}`,
          percent(each.share),
          shareCell(each.wins),
        ]),
    ]),
    ...more(generators.length),
  ];
}

function duplicatesSection({ duplicates, nearIdentical, usable }: AuditReport): string[] {
  const examples = duplicates.contradictionExamples.map((rows) => rows.join("+"));
  return [
    "",
    ...table([
      ["duplicates", "rows", "share"],
      ["repeat an earlier pair", ...countCells(duplicates.repeatedPairs, usable)],
      [
        `share a prompt (${duplicates.sharedPrompts} prompts)`,
        ...countCells(duplicates.sharedPromptRows, usable),
      ],
      [
        `contradictory labels (${duplicates.contradictions} pairs of responses)`,
        ...countCells(duplicates.contradictoryRows, usable),
      ],
      [
        `near-identical sides (word overlap ≥ ${nearIdentical.threshold})`,
        ...countCells(nearIdentical.pairs, usable),
      ],
    ]),
    ...(examples.length === 0 ? [] : [`  contradictory rows, first ones: ${examples.join(", ")}`]),
    ...(nearIdentical.examples.length === 0
      ? []
      : [`  near-identical rows, first ones: ${nearIdentical.examples.join(", ")}`]),
  ];
}

function truncationSection({ truncation, unrenderable }: AuditReport): string[] {
  if (truncation === undefined) return [];
  const { maxTokens, basis, promptTooLong, responseCut } = truncation;
  return [
    "",
    ...table([
      [`at ${maxTokens} tokens${basis === "estimate" ? " (estimated)" : ""}`, "pairs", "share"],
      ["prompt leaves no room", `${promptTooLong.count}`, percent(promptTooLong.share)],
      ["response cut", `${responseCut.count}`, percent(responseCut.share)],
      ...(unrenderable === 0 ? [] : [["template refuses", `${unrenderable}`, ""]]),
    ]),
  ];
}

function turnsSection({ turns, scripts, usable }: AuditReport): string[] {
  if (usable === 0) return [];
  return [
    "",
    ...table([
      ["turns of the prompt", "pairs", "share"],
      ...turns.promptTurns
        .slice(0, MAX_TABLE_ROWS)
        .map((each) => [`${each.turns}`, ...countCells(each.pairs, usable)]),
      ["with a system turn", `${turns.withSystem.count}`, percent(turns.withSystem.share)],
      ["response of several turns", ...countCells(turns.longResponses, usable)],
    ]),
    "",
    ...table([
      ["script", "pairs", "share"],
      ...scripts.map((each) => [each.script, ...countCells(each.pairs, usable)]),
    ]),
  ];
}

function summaryCells({ chosen, rejected }: LengthComparison): string[] {
  return [chosen, rejected].flatMap(({ mean, median, p90 }) =>
    [mean, median, p90].map((value) => value.toFixed(0)),
  );
}

function countCells(count: number, of: number): [string, string] {
  return [`${count}`, percent(of === 0 ? undefined : count / of)];
}

function shareCell(share: Share): string {
  return share.share === undefined
    ? "-"
    : `${percent(share.share)} [${percent(share.low)}, ${percent(share.high)}]`;
}

function more(count: number): string[] {
  return count > MAX_TABLE_ROWS ? [`  … and ${count - MAX_TABLE_ROWS} more`] : [];
}

/** First column to the left, the others to the right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join("  ")
      .trimEnd(),
  );
}

/** Names come from data: no control characters may reach the terminal, and no name may fill it. */
function printable(text: string): string {
  const shown = text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, "�");
  return shown.length > 200 ? `${shown.slice(0, 200)}…` : shown;
}
