import type { PreferencePair, UnusableRow } from "../pairs/preference-pair.ts";
import { type PairShape, SHAPES } from "../pairs/shapes/shapes.ts";
import { exchangeSides } from "../pairs/shapes/side-columns.ts";
import { RuntimeError } from "../util/errors.ts";
import { type EditedPairs, swappedIds } from "./edit.ts";

/**
 * The rows as the edit leaves them, streaming: removed pairs are gone, swapped ones have their sides and the kept columns of the
 * sides exchanged; ids and row numbers stay those of the data before the edit, unusable rows pass. Throws RuntimeError at the
 * end where a named pair did not come by.
 */
export async function* applyEdit<T extends PreferencePair | UnusableRow>(
  rows: AsyncIterable<T> | Iterable<T>,
  edit: EditedPairs,
  shape: PairShape,
): AsyncGenerator<T> {
  const { ids } = edit;
  const left = new Set(ids);
  const swapped = new Set(swappedIds(edit));
  for await (const row of rows) {
    if (row.kind === "unusable" || !left.delete(row.id)) yield row;
    else if (swapped.has(row.id)) yield swapPair(row, shape) as T; // a pair with other values in the same keys
  }
  const [missing] = left;
  if (missing === undefined) return;
  throw new RuntimeError(
    `edit: expected all ${ids.length} pairs it names, got ${ids.length - left.size}; the first that is missing is ${JSON.stringify(missing.slice(0, 80))}`,
    { hint: "The edit was planned for other data." },
  );
}

/** The pair with chosen and rejected exchanged, and the kept columns that go with them in its data's shape; its id stays. */
export function swapPair(pair: PreferencePair, shape: PairShape): PreferencePair {
  return {
    ...pair,
    chosen: pair.rejected,
    rejected: pair.chosen,
    columns: exchangeSides(pair.columns, SHAPES[shape].swap(Object.keys(pair.columns))),
  };
}
