import { ownField } from "../pairs/readers/file-row.ts";
import { readRows } from "../pairs/readers/read-rows.ts";
import { FormatError } from "../util/errors.ts";
import type { JobOptions } from "../util/progress.ts";

/** One row of a ranking as writeRankings writes it. */
export interface RankedRow {
  readonly id: string;
  /** Undefined where it has none. */
  readonly score: number | undefined;
  readonly rank: number;
  readonly norm: number | undefined;
  readonly isLowNorm: boolean;
  readonly winner: string | undefined;
  readonly source: string | undefined;
  /** Who wrote the sides, where the pairs say so. */
  readonly generators: Readonly<Record<"chosen" | "rejected", string | undefined>>;
}

/**
 * Streams the rows of a ranking that `culprit rank` wrote, best first; of a file with several layers those of `layer`. Throws FormatError
 * naming the row of what is none.
 */
export async function* readRankedRows(
  path: string,
  layer: number | undefined,
  { signal }: JobOptions = {},
): AsyncGenerator<RankedRow> {
  for await (const row of readRows(path, { signal })) {
    if (row.kind === "broken") {
      throw new FormatError(`${path}, row ${row.fileRow}: ${row.detail}`);
    }
    const value = (name: string): unknown => ownField(row.fields, name) ?? undefined;
    const of = value("layer");
    if (of !== undefined && Number(of) !== layer) continue;
    const [id, rank] = [value("id"), value("rank")];
    if (!(typeof id === "string" || typeof id === "number") || rank === undefined) {
      throw new FormatError(`${path}, row ${row.fileRow}: expected an id and a rank`, {
        hint: "The report reads rankings that culprit rank wrote; run the stage again.",
      });
    }
    const number = (name: string): number | undefined =>
      value(name) === undefined ? undefined : Number(value(name));
    const text = (name: string): string | undefined =>
      value(name) === undefined ? undefined : String(value(name));
    yield {
      id: String(id),
      score: number("score"),
      rank: Number(rank),
      norm: number("norm"),
      isLowNorm: value("low_norm") === true,
      winner: text("winner"),
      source: text("source"),
      generators: { chosen: text("chosen_model"), rejected: text("rejected_model") },
    };
  }
}
