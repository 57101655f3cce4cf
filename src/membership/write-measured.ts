import { CHUNK_ROWS, type TableColumn, writeTable } from "../ranking/write-table.ts";
import type { FoundMembership } from "./find-membership.ts";
import type { MeasuredPair } from "./measure-pairs.ts";
import { margin, marginPerToken, type Measure } from "./membership-figures.ts";

/** Its name in the folder of the stage that measured. */
export const MEASURED_NAME = "measured.parquet";

interface Row {
  readonly pair: MeasuredPair;
  readonly isClaimed: boolean;
}

/**
 * Writes what was measured of each pair to a table (.parquet, .jsonl, .csv), the claimed ones first: id, row, claimed, source where there is
 * one, and in nats what the column names say; see MeasuredPair.
 */
export async function writeMeasured(
  path: string,
  { claimed, heldOut }: Pick<FoundMembership, "claimed" | "heldOut">,
): Promise<void> {
  const rows = [
    ...claimed.map((pair): Row => ({ pair, isClaimed: true })),
    ...heldOut.map((pair): Row => ({ pair, isClaimed: false })),
  ];
  await writeTable(path, columnsOf(rows), inChunks(rows));
}

function columnsOf(rows: readonly Row[]): readonly TableColumn<Row>[] {
  const number = (
    name: string,
    type: "INTEGER" | "DOUBLE",
    measure: Measure,
  ): TableColumn<Row> => ({ name, type, value: ({ pair }) => measure(pair) });
  const source: TableColumn<Row> = {
    name: "source",
    type: "VARCHAR",
    value: ({ pair: { columns } }) => (columns["source"] === null ? null : `${columns["source"]}`),
  };
  return [
    { name: "id", type: "VARCHAR", value: ({ pair }) => pair.id },
    number("row", "INTEGER", ({ row }) => row),
    { name: "claimed", type: "BOOLEAN", value: ({ isClaimed }) => isClaimed },
    ...(rows.some(({ pair }) => pair.columns["source"] !== undefined) ? [source] : []),
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
