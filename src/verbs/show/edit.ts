import { type Edit, swappedIds, TENTHS } from "../../edit/edit.ts";
import type { ReviewedPrecision } from "../../edit/review-figures.ts";
import { fixed, percent, withInterval } from "../../util/figures.ts";
import { headOf, type Lines, printable, tableOf, textOf } from "../../util/text-table.ts";
import type { Edited } from "../edit.ts";

/** Groups of one table, at most; the JSON output has all of them. */
const MAX_GROUPS = 15;

/** What `culprit edit` prints of one edit. */
export function formatEdit({ edit, pairs, precision, written }: Edited): string {
  return textOf(
    `${edit.action}: ${whatWith(edit, pairs)}, ${how(edit)}`,
    tieLine(edit),
    sourceLines(edit),
    groupLines(edit),
    precision && precisionLines(precision),
    written && [`written and checked: ${written.paths.out}`, `how: ${written.paths.manifest}`],
  );
}

function whatWith(edit: Edit, pairs: number): string {
  const swapped = swappedIds(edit).length;
  const removed = edit.ids.length - swapped;
  const counts = edit.action === "swap" ? [] : [`${removed} of ${pairs} pairs removed`];
  return [
    ...counts,
    ...(swapped === 0
      ? []
      : [`${swapped}${counts.length === 0 ? ` of ${pairs} pairs` : ""} swapped`]),
  ].join(", ");
}

function how({ action, pick, top, tenth }: Edit): string {
  if (action === "review") {
    return {
      chosen: "as people decided",
      random: "random ones of the sources that people's decisions are about",
      "random-any": "random ones, as many as people decided",
      bottom: "", // refused
    }[pick];
  }
  if (action === "tenth") {
    if (tenth === undefined) return "all but a random tenth";
    return `all but tenth ${tenth} of ${TENTHS} of the ranking`;
  }
  return {
    chosen: action === "drop-source" ? "whole sources" : `the top ${top}`,
    random:
      action === "drop-source" ? "random ones" : `random ones of the sources of the top ${top}`,
    "random-any": "random ones",
    bottom: `the bottom ${top}`,
  }[pick];
}

function precisionLines(precision: readonly ReviewedPrecision[]): Lines {
  if (precision.length === 0) {
    return "no top of the ranking was reviewed whole or by a random sample, so its precision is not known";
  }
  return [
    ...tableOf(precision, [
      ["top", ({ k }) => k],
      ["reviewed", ({ reviewed, basis }) => `${reviewed}${basis === "sample" ? " (sample)" : ""}`],
      ["unsure", ({ unsure }) => unsure],
      [
        "precision",
        ({ precision: { share, low, high } }) =>
          share === undefined ? "-" : withInterval(share, { low: low!, high: high! }, percent),
      ],
    ]),
    "",
  ];
}

function tieLine({ ties }: Edit): Lines {
  if (ties === undefined || ties.outside === 0) return undefined;
  return `${ties.inside + ties.outside} pairs share the last score; ${ties.inside} are in by the order of their rows`;
}

function sourceLines({ sources, pick }: Edit): string[] {
  if (sources === undefined) return [];
  return [
    pick === "chosen" ? "sources dropped:" : "sources whose size this has:",
    ...sources.map(({ group, lift }) => {
      const found = lift && `  lift ${withInterval(lift.value, lift, fixed(2))}`;
      return `  ${printable(group)}${found ?? ""}`;
    }),
  ];
}

/** What became of pairs that were not removed. */
const DONE: { readonly [A in Edit["action"]]?: string } = { swap: "swapped", review: "edited" };

function groupLines({ groups, by, action }: Edit): string[] {
  if (by === undefined) return [];
  return [
    "",
    ...headOf(groups, MAX_GROUPS, (shown) =>
      tableOf(shown, [
        [printable(by), ({ group }) => printable(group)],
        ["pairs", ({ pairs }) => pairs],
        [DONE[action] ?? "removed", ({ edited }) => edited],
        ["share", ({ pairs, edited }) => percent(edited / pairs)],
      ]),
    ),
    "",
  ];
}
