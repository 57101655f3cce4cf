import type { AuditReport, LengthComparison } from "../../pairs/audit-report.ts";
import type { Share } from "../../stats/wilson.ts";
import { percent, withInterval } from "../../util/figures.ts";
import {
  type Column,
  headOf,
  type Lines,
  textOf,
  printable as shortened,
  tableOf,
  textTable,
} from "../../util/text-table.ts";
import { membershipSection } from "./membership.ts";

/** Rows of one table, at most; the JSON report has all of them. */
const MAX_TABLE_ROWS = 20;

/** Characters of a name, at most. */
const MAX_NAME = 200;

/** What `culprit audit` prints. */
export function formatAudit(
  report: AuditReport,
  written: { readonly [K in "out" | "unusable" | "measured"]: string | undefined },
): string {
  return textOf(
    rowsSection(report, written.unusable),
    lengthsSection(report),
    sourcesSection(report),
    generatorsSection(report),
    duplicatesSection(report),
    truncationSection(report),
    turnsSection(report),
    besideSection(report),
    scoresSection(report),
    membershipSection(report.membership),
    "",
    report.warnings.length === 0 ? "No warnings." : "Warnings",
    report.warnings.map((line) => `  ${line}`),
    written.out !== undefined && ["", `Report written to ${written.out}`],
    written.measured !== undefined && `Measured pairs written to ${written.measured}`,
  );
}

function rowsSection(report: AuditReport, unusablePath: string | undefined): Lines {
  const { files, columns, unusable, unusableExamples, usable, tokens } = report;
  const readable =
    tokens === undefined || tokens.pairs === usable
      ? ""
      : ` (${tokens.pairs === 0 ? "none" : tokens.pairs} with this checkpoint)`;
  const reasons = Object.entries(unusable.byReason);
  const what = files.length === 1 ? printable(files[0]!.path) : `${files.length} files`;
  const kept = columns.map((name) => printable(name)).join(", ");
  return [
    `${what}: ${report.rows} rows, ${usable} usable pairs${readable}, ${unusable.count} unusable rows`,
    `shape ${report.shapeReason}`,
    `columns kept: ${kept || "none"}`,
    reasons.length > 0 && [
      "",
      tableOf(reasons, [
        ["unusable", ([why]) => why],
        ["rows", ([, count]) => count],
      ]),
    ],
    unusablePath === undefined
      ? unusableExamples.map(
          ({ file, fileRow, reason, detail }) =>
            `  ${printable(file)}, row ${fileRow}: ${reason}: ${printable(detail)}`,
        )
      : `unusable rows are listed in ${unusablePath}`,
  ];
}

function lengthsSection({ lengths }: AuditReport): Lines {
  if (lengths.length === 0) return undefined;
  return [
    "",
    tableOf(lengths, [
      ["length in", ({ unit }) => unit],
      ...summaryColumns("chosen"),
      ...summaryColumns("rejected"),
      ["longer is chosen [95%]", ({ longerChosen }) => formatShare(longerChosen)],
      ["ties", ({ ties }) => ties],
    ]),
  ];
}

const summaryColumns = (side: "chosen" | "rejected"): Column<LengthComparison>[] => [
  [`${side} mean`, (each) => each[side].mean.toFixed(0)],
  ["median", (each) => each[side].median.toFixed(0)],
  ["p90", (each) => each[side].p90.toFixed(0)],
];

function sourcesSection({ sources }: AuditReport): Lines {
  if (sources.length === 0) return ["", "no source column"];
  return longTable(sources, [
    ["source", ({ source }) => printable(source ?? "(none)")],
    ["pairs", ({ pairs }) => pairs],
    ["share", ({ share }) => percent(share)],
    ["chosen mean", ({ lengths }) => lengths.chosen.mean.toFixed(0)],
    ["rejected mean", ({ lengths }) => lengths.rejected.mean.toFixed(0)],
    ["longer is chosen [95%]", ({ lengths }) => formatShare(lengths.longerChosen)],
    ["near-identical", ({ nearIdentical }) => nearIdentical],
  ]);
}

function generatorsSection({ generators }: AuditReport): Lines {
  if (generators.length === 0) return undefined;
  return longTable(generators, [
    ["generator", ({ generator }) => printable(generator)],
    ["chosen", ({ chosen }) => chosen],
    ["rejected", ({ rejected }) => rejected],
    ["share of sides", ({ share }) => percent(share)],
    ["wins [95%]", ({ wins }) => formatShare(wins)],
  ]);
}

function longTable<T>(rows: readonly T[], columns: readonly Column<T>[]): Lines {
  const show = (shown: readonly T[]): string[] => tableOf(shown, columns);
  return ["", headOf(rows, MAX_TABLE_ROWS, show, "  ")];
}

function duplicatesSection({ duplicates, nearIdentical, usable }: AuditReport): Lines {
  const examples = duplicates.contradictionExamples.map((rows) => rows.join("+"));
  return [
    "",
    countTable(
      "duplicates",
      usable,
      [
        ["repeat an earlier pair", duplicates.repeatedPairs],
        [`share a prompt (${duplicates.sharedPrompts} prompts)`, duplicates.sharedPromptRows],
        [
          `contradictory labels (${duplicates.contradictions} pairs of responses)`,
          duplicates.contradictoryRows,
        ],
        [`near-identical sides (word overlap ≥ ${nearIdentical.threshold})`, nearIdentical.pairs],
      ],
      "rows",
    ),
    examples.length > 0 && `  contradictory rows, first ones: ${examples.join(", ")}`,
    nearIdentical.examples.length > 0 &&
      `  near-identical rows, first ones: ${nearIdentical.examples.join(", ")}`,
  ];
}

function truncationSection({ truncation, unrenderable }: AuditReport): Lines {
  if (truncation === undefined) return undefined;
  const { maxTokens, basis, promptTooLong, responseCut } = truncation;
  return [
    "",
    textTable([
      [`at ${maxTokens} tokens${basis === "estimate" ? " (estimated)" : ""}`, "pairs", "share"],
      ["prompt leaves no room", `${promptTooLong.count}`, percent(promptTooLong.share)],
      ["response cut", `${responseCut.count}`, percent(responseCut.share)],
      ...(unrenderable === 0 ? [] : [["template refuses", `${unrenderable}`, ""]]),
    ]),
  ];
}

function turnsSection({ turns, scripts, usable }: AuditReport): Lines {
  if (usable === 0) return undefined;
  return [
    "",
    countTable("turns of the prompt", usable, [
      ...turns.promptTurns
        .slice(0, MAX_TABLE_ROWS)
        .map((each) => [`${each.turns}`, each.pairs] as const),
      ["with a system turn", turns.withSystem.count],
      ["response of several turns", turns.longResponses],
    ]),
    "",
    countTable(
      "script",
      usable,
      scripts.map(({ script, pairs }) => [script, pairs] as const),
    ),
  ];
}

/** How many there are of each, and which share of `all`. */
function countTable(
  what: string,
  all: number,
  counts: readonly (readonly [name: string, count: number])[],
  unit = "pairs",
): string[] {
  return tableOf(counts, [
    [what, ([name]) => name],
    [unit, ([, count]) => count],
    ["share", ([, count]) => percent(all === 0 ? undefined : count / all)],
  ]);
}

function besideSection({ beside, tokens, usable }: AuditReport): Lines {
  const { said, labels, columnsNotRead } = beside;
  const unread = new Map(tokens?.unread.map(({ name, pairs }) => [name, pairs]));
  const named = (names: readonly string[]): string =>
    names.map((name) => printable(name)).join(", ");
  return [
    said.length > 0 && [
      "",
      tableOf(said, [
        ["beside roles and texts", ({ name }) => printable(name)],
        ["pairs", ({ pairs }) => pairs],
        ["share", ({ pairs }) => percent(pairs / usable)],
        ["not shown", ({ name }) => (tokens === undefined ? "-" : (unread.get(name) ?? 0))],
      ]),
    ],
    tokens !== undefined &&
      tokens.merged + tokens.marked > 0 && [
        "",
        countTable("tokens", tokens.pairs, [
          ["response begins before the prompt's end", tokens.merged],
          ["prompt holds the template's marks", tokens.marked],
        ]),
      ],
    labels.length > 0 &&
      `labels of turns, passed over: ${named(labels.map(({ name, pairs }) => `${name} (${pairs})`))}`,
    columnsNotRead.length > 0 && `columns not read: ${named(columnsNotRead)}`,
  ];
}

function scoresSection({ scores }: AuditReport): Lines {
  if (scores.length === 0) return [];
  return [
    "",
    tableOf(scores, [
      ["scores of the sides", ({ chosen, rejected }) => printable(`${chosen} / ${rejected}`)],
      ["pairs", ({ pairs }) => pairs],
      ["equal", ({ ties }) => ties],
      ["share", ({ ties, pairs }) => percent(ties / pairs)],
      ["chosen lower", ({ lower }) => lower],
      ["share", ({ lower, pairs }) => percent(lower / pairs)],
    ]),
  ];
}

const formatShare = ({ share, ...interval }: Share): string | undefined =>
  share === undefined ? undefined : withInterval(share, interval, percent);

const printable = (text: string): string => shortened(text, MAX_NAME);
