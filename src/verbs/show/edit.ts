import type { Edit } from "../../edit/edit.ts";
import type { WrittenEdit } from "../../edit/write-edit.ts";
import { fixed, percent, withInterval } from "../../util/figures.ts";
import { headOf, type Lines, printable, tableOf, textOf } from "../../util/text-table.ts";

/** Groups of one table, at most; the JSON output has all of them. */
const MAX_GROUPS = 15;

/** What `culprit edit` prints of one edit. */
export function formatEdit(edit: Edit, pairs: number, written?: WrittenEdit): string {
  const { action, pick, top, ids } = edit;
  const verb = action === "swap" ? "swapped" : "removed";
  const how = {
    chosen: action === "drop-source" ? "whole sources" : `the top ${top}`,
    random:
      action === "drop-source" ? "random ones" : `random ones of the sources of the top ${top}`,
    "random-any": "random ones",
  }[pick];
  return textOf(
    `${action}: ${ids.length} of ${pairs} pairs ${verb}, ${how}`,
    tieLine(edit),
    sourceLines(edit),
    groupLines(edit),
    written && [`written and checked: ${written.paths.out}`, `how: ${written.paths.manifest}`],
  );
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

function groupLines({ groups, by, action }: Edit): string[] {
  if (by === undefined) return [];
  return [
    "",
    ...headOf(groups, MAX_GROUPS, (shown) =>
      tableOf(shown, [
        [printable(by), ({ group }) => printable(group)],
        ["pairs", ({ pairs }) => pairs],
        [action === "swap" ? "swapped" : "removed", ({ edited }) => edited],
        ["share", ({ pairs, edited }) => percent(edited / pairs)],
      ]),
    ),
    "",
  ];
}
