import { ConfigError, NothingToDoError } from "../util/errors.ts";
import type { DecisionFile } from "./decisions.ts";
import type { Edit } from "./edit.ts";
import { countGroups } from "./plan-edit.ts";
import type { PairTable } from "./survey-pairs.ts";

/**
 * The edit that does what people decided: pairs to drop are removed, those to swap exchanged; what is to be kept, unsure or was not looked
 * at stays. Throws ConfigError for a pair that the data does not have and an edit that would leave no pair, NothingToDoError where
 * nothing is to be dropped or swapped.
 */
export function planReviewed(table: PairTable, file: DecisionFile): Edit {
  const { path, decisions } = file;
  const known = new Set(table.ids);
  const missing = [...decisions.keys()].filter((id) => !known.has(id));
  if (missing.length > 0) {
    throw new ConfigError(
      `${path}: expected decisions on these pairs, got ${missing.length} on others, the first ${JSON.stringify(missing[0]!.slice(0, 80))}`,
      { hint: "Give the files that were reviewed." },
    );
  }
  const kindAt = (row: number): string | null => decisions.get(table.ids[row]!)?.decision ?? null;
  const of = (...kinds: readonly string[]): Uint32Array =>
    Uint32Array.from(table.ids.keys()).filter((row) => kinds.includes(kindAt(row) ?? ""));
  const rows = of("drop", "swap");
  if (rows.length === 0) {
    throw new NothingToDoError(`${path}: no pair is to be dropped or swapped`, {
      hint: "Review some pairs first: culprit report --serve.",
    });
  }
  const idsOf = (some: Uint32Array): string[] => Array.from(some, (row) => table.ids[row]!);
  if (of("drop").length === table.ids.length) {
    throw new ConfigError(
      `${path}: expected an edit that leaves pairs, got one that drops all ${rows.length}`,
    );
  }
  return {
    action: "review",
    pick: "chosen",
    ids: idsOf(rows),
    swaps: idsOf(of("swap")),
    by: table.by,
    groups: countGroups(table.groups, rows),
    unranked: 0,
    warnings: warningsOf(table, file, of("unsure").length),
  };
}

function warningsOf(
  { contentHash }: PairTable,
  { path, pairs, torn }: DecisionFile,
  unsure: number,
): string[] {
  return [
    ...(contentHash !== undefined && contentHash !== pairs
      ? [
          `${path}: made on other files than these, though every id is here; right for an edited copy only`,
        ]
      : []),
    ...(unsure === 0 ? [] : [`${unsure} pairs were left unsure; they are kept as they are`]),
    ...(torn === 0
      ? []
      : [`${path}: its last line was cut off by a crash and does not count (${torn} bytes)`]),
  ];
}
