/** @file The rankings of a run beside one another in its database, in the order of the first. */
import { compareMethods } from "../compare-methods.ts";
import { histogram } from "../pair-table.ts";
import type { RunRanking } from "../read-rankings.ts";
import type { PairMethod, PairSummary } from "../report-source.ts";
import { type Cell, type PairDatabase, quote } from "./pair-database.ts";

/** Ranks of one piece of the table: a join of all at once takes more memory than DuckDB is given. */
const SLICE = 32_768;

/** A table of pairs: `place` (from 0, the order of the first ranking), `id`, `source`, `preview`, `norm`, the flags of PAIR_FLAGS by number, and of each method `score`, `rank`, `winner` with its number. */
export interface RankedTable {
  readonly name: string;
  readonly summary: PairSummary;
}

/**
 * Makes the table `name` of the rankings and the texts that are there. A pair without a place in a ranking has no score, rank or winner by
 * it. DuckDB joins by hash, which moves rows: the order is that of `place`, which every query names.
 */
export async function makeRankedTable(
  database: PairDatabase,
  name: string,
  rankings: readonly RunRanking[],
  hasPlanted: boolean,
): Promise<RankedTable> {
  const files = await Promise.all(
    rankings.map(async ({ path, ranking: { layer } }) => {
      const described = await database.rows(`DESCRIBE SELECT * FROM read_parquet(${quote(path)})`);
      const columns = new Set(described.map(([column]) => String(column)));
      const where = columns.has("layer") && layer !== undefined ? ` WHERE layer = ${layer}` : "";
      return { columns, from: `(SELECT * FROM read_parquet(${quote(path)})${where})` };
    }),
  );
  const has = (i: number, column: string): string =>
    files[i]!.columns.has(column) ? `r${i}.${column}` : "NULL";
  const methods = rankings.map((_, i) =>
    [
      `CAST(r${i}.score AS FLOAT) AS score${i}`,
      `CASE WHEN r${i}.score IS NULL THEN NULL ELSE CAST(r${i}.rank AS INTEGER) END AS rank${i}`,
      `CAST(${has(i, "winner")} AS VARCHAR) AS winner${i}`,
    ].join(", "),
  );
  const joins = files
    .slice(1)
    .map(({ from }, i) => `LEFT JOIN ${from} r${i + 1} ON r${i + 1}.id = r0.id`);
  const source = `CAST(${has(0, "source")} AS VARCHAR)`;
  const select = (first: number, end: number): string => `SELECT
      CAST(r0.rank AS INTEGER) - 1 AS place, CAST(r0.id AS VARCHAR) AS id, ${source} AS source,
      coalesce(t.preview, '') AS preview,
      CAST(${has(0, "norm")} AS FLOAT) AS norm,
      coalesce(${has(0, "low_norm")}, false) AS flag0,
      coalesce(t.planted, false) AS flag1,
      p.prompt IS NOT NULL AS flag2,
      t.id IS NULL AS flag3,
      c.content IS NOT NULL AS flag4,
      coalesce(t.near_identical, false) AS flag5,
      ${methods.join(", ")}
    FROM (SELECT * FROM ${files[0]!.from} WHERE rank > ${first} AND rank <= ${end}) r0 ${joins.join(" ")}
    LEFT JOIN texts t ON t.id = CAST(r0.id AS VARCHAR)
    LEFT JOIN prompts p ON p.prompt = t.prompt
    LEFT JOIN contents c ON c.content = t.content
    ORDER BY place`;
  const [counted] = await database.rows(`SELECT max(rank) FROM ${files[0]!.from}`);
  const total = Number(counted![0] ?? 0);
  await database.run(`CREATE TABLE ${name} AS ${select(0, 0)}`);
  for (let first = 0; first < total; first += SLICE) {
    await database.run(`INSERT INTO ${name} ${select(first, first + SLICE)}`);
  }
  return { name, summary: await summarize(database, name, rankings, hasPlanted) };
}

async function summarize(
  database: PairDatabase,
  name: string,
  rankings: readonly RunRanking[],
  hasPlanted: boolean,
): Promise<PairSummary> {
  const [counted] = await database.rows(
    `SELECT count(*), count(*) FILTER (NOT flag3) FROM ${name}`,
  );
  const [total, texts] = counted!.map(Number) as [number, number];
  const sources = await database.rows(
    `SELECT DISTINCT source FROM ${name} WHERE source IS NOT NULL`,
  );
  const methods = rankings.map(({ label, ranking: { method, scored } }): PairMethod => {
    const { formula, traits } = method;
    return { label, formula, scored, isBounded: traits.isBounded };
  });
  const scores = methods.map(() => new Float32Array(total).fill(Number.NaN));
  const ranks = methods.map(() => new Int32Array(total));
  let first = 0;
  const columns = methods.map((_, i) => `score${i}, rank${i}`).join(", ");
  await database.stream(`SELECT ${columns} FROM ${name} ORDER BY place`, [], (chunk) => {
    for (const [i] of methods.entries()) {
      fill(scores[i]!, first, chunk[2 * i]!);
      fill(ranks[i]!, first, chunk[2 * i + 1]!);
    }
    first += chunk[0]!.length;
  });
  return {
    total,
    listed: total,
    selection: [
      `All ${total} pairs are listed.`,
      ...(texts === total ? [] : [`${texts} of them have their text.`]),
    ],
    methods,
    sources: sources.map(([source]) => String(source)).toSorted(),
    hasPlanted,
    agreements: compareMethods({ methods, scores, ranks }),
    histogram: histogram(scores[0]!),
  };
}

function fill(column: Float32Array | Int32Array, first: number, values: readonly Cell[]): void {
  for (const [i, value] of values.entries()) if (value !== null) column[first + i] = Number(value);
}
