import { CHUNK_ROWS, type TableColumn, writeTable } from "../ranking/write-table.ts";
import type { FoundMembership } from "./find-membership.ts";
import type { MeasuredPair } from "./measure-pairs.ts";
import { margin, marginPerToken, type Measure } from "./membership-figures.ts";

/** Its name in the folder of the stage that measured. */
export const MEASURED_NAME = "measured.parquet";

/** The pairs of both sides, and the column that counts as their source, if there is one. */
export interface MeasuredSides extends Pick<FoundMembership, "claimed" | "heldOut"> {
  readonly by: string | undefined;
}

interface Row {
  readonly pair: MeasuredPair;
  readonly isClaimed: boolean;
}

/**
 * Writes what was measured of each pair to a table (.parquet, .jsonl, .csv), the claimed ones first: id, row, claimed, as `source` the
 * value of the column that counts as the source where there is one (empty for a pair without), and in nats what the column names say; see
 * MeasuredPair.
 */
export async function writeMeasured(
  path: string,
  { claimed, heldOut, by }: MeasuredSides,
): Promise<void> {
  const rows = [
    ...claimed.map((pair): Row => ({ pair, isClaimed: true })),
    ...heldOut.map((pair): Row => ({ pair, isClaimed: false })),
  ];
  await writeTable(path, columnsOf(by), inChunks(rows));
}

function columnsOf(by: string | undefined): readonly TableColumn<Row>[] {
  const number = (
    name: string,
    type: "INTEGER" | "DOUBLE",
    measure: Measure,
  ): TableColumn<Row> => ({ name, type, value: ({ pair }) => measure(pair) });
  const source: TableColumn<Row> = {
    name: "source",
    type: "VARCHAR",
    value: ({ pair: { columns } }) => {
      const value = by === undefined ? null : (columns[by] ?? null); // held-out pairs may lack the column
      return value === null ? null : String(value);
    },
  };
  return [
    { name: "id", type: "VARCHAR", value: ({ pair }) => pair.id },
    number("row", "INTEGER", ({ row }) => row),
    { name: "claimed", type: "BOOLEAN", value: ({ isClaimed }) => isClaimed },
    ...(by === undefined ? [] : [source]),
    number("margin", "DOUBLE", margin),
    number("margin_per_token", "DOUBLE", marginPerToken),
    number("chosen_drift", "DOUBLE", (pair) => pair.chosenDrift),
    number("rejected_drift", "DOUBLE", (pair) => pair.rejectedDrift),
    number("chosen_before", "DOUBLE", (pair) => pair.chosenBefore),
    number("rejected_before", "DOUBLE", (pair) => pair.rejectedBefore),
    number("chosen_tokens", "INTEGER", (pair) => pair.chosenTokens),
    number("rejected_tokens", "INTEGER", (pair) => pair.rejectedTokens),
    number("ches", "DOUBLE", (pair) => pair.ches),
    number("ches_normalised", "DOUBLE", (pair) => pair.chesNormalised),
  ];
}

function* inChunks(rows: readonly Row[]): Generator<readonly Row[]> {
  for (let first = 0; first < rows.length; first += CHUNK_ROWS) {
    yield rows.slice(first, first + CHUNK_ROWS);
  }
}
