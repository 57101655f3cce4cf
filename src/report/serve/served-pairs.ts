/** @file The pairs of a run in serve mode: the database with their texts, the table of the rankings that there are, queries, one pair. */
import type { JobOptions } from "../../util/progress.ts";
import { describeLeftOut } from "../left-out.ts";
import { TOP_TEXTS } from "../list-pairs.ts";
import type { PairText } from "../pair-texts.ts";
import type { PairDetail, PairQuery, PairSummary } from "../report-source.ts";
import { type FindNear, openNear } from "./near-vectors.ts";
import { openPairDatabase, type PairDatabase } from "./pair-database.ts";
import { fillTexts, readText } from "./pair-texts-table.ts";
import { createTableQueries, type FoundPairs } from "./query-table.ts";
import { makeRankedTable, type RankedTable } from "./ranked-table.ts";
import type { RunSnapshot } from "./run-source.ts";

/** A pair with its text, and its place in the first ranking. */
export interface PlacedText {
  readonly text: PairText;
  /** By each method, the vector of the bank that decided its score. */
  readonly winners: readonly (string | undefined)[];
}

export interface ServedPairs {
  readonly summary: PairSummary;
  query(query: PairQuery): Promise<FoundPairs>;
  detail(id: string): Promise<PairDetail | undefined>;
  textOf(id: string): Promise<PlacedText | undefined>;
  /** The first ids of the first ranking, best first; of those with a score. */
  top(count: number): Promise<readonly string[]>;
  has(id: string): Promise<boolean>;
}

type At = Pick<RunSnapshot, "run" | "reading" | "rankings">;

/** Opens the pairs of a run as its stages end: texts are read once, the table is made again where rankings have come. */
export function openServedPairs(
  path: string,
  { signal, progress }: JobOptions,
): AsyncDisposable & { of(at: At): Promise<ServedPairs | undefined> } {
  let base: { readonly hash: string; readonly database: Promise<PairDatabase> } | undefined;
  let last: { readonly key: string; readonly served: Promise<ServedPairs> } | undefined;
  let made = 0;
  const openBase = async ({ reading }: At): Promise<PairDatabase> => {
    const database = await openPairDatabase(path);
    try {
      await fillTexts(database, reading.pairs, reading.planted, { signal, progress });
      return database;
    } catch (error) {
      await database[Symbol.asyncDispose]();
      throw error;
    }
  };
  const close = async (): Promise<void> => {
    const open = await base?.database.catch(() => undefined);
    base = undefined;
    await open?.[Symbol.asyncDispose]();
  };
  return {
    of: async (at) => {
      if (at.rankings.length === 0) return undefined;
      const hash = at.run.manifest.inputs["pairs"] ?? "";
      if (base !== undefined && base.hash !== hash) await close();
      base ??= { hash, database: openBase(at) };
      const { database } = base;
      const key = JSON.stringify([hash, at.rankings.map(({ path: file }) => file)]);
      if (last?.key !== key) {
        const name = `ranked${++made}`;
        last = { key, served: serve(database, name, at) };
      }
      const { served } = last;
      // What could not be made is begun anew.
      served.catch(async () => {
        last = undefined;
        await close();
      });
      return served;
    },
    [Symbol.asyncDispose]: close,
  };
}

async function serve(opening: Promise<PairDatabase>, name: string, at: At): Promise<ServedPairs> {
  const database = await opening;
  const { planted } = at.reading;
  const table = await makeRankedTable(database, name, at.rankings, planted !== undefined);
  const leftOut = await describeLeftOut(at.run);
  const layer = at.rankings.find(({ ranking }) => ranking.layer !== undefined)?.ranking.layer;
  let near: Promise<FindNear | undefined> | undefined;
  const findNear = async (id: string): ReturnType<FindNear> => {
    near ??= topOf(database, table, TOP_TEXTS).then((ids) =>
      openNear(at.run, layer, database, ids),
    );
    return (await near)?.(id);
  };
  return {
    summary: { ...table.summary, selection: [...table.summary.selection, ...leftOut] },
    query: createTableQueries(database, table),
    detail: async (id) => {
      const text = await readText(database, id);
      return text && { ...text, ...(await findNear(id)) };
    },
    textOf: async (id) => {
      const text = await readText(database, id);
      const columns = table.summary.methods.map((_, i) => `winner${i}`).join(", ");
      const [row] = await database.rows(`SELECT ${columns} FROM ${name} WHERE id = $1`, [id]);
      const winners = (row ?? []).map((each) => (each === null ? undefined : String(each)));
      return text && { text, winners };
    },
    top: (count) => topOf(database, table, count),
    has: async (id) =>
      (await database.rows(`SELECT 1 FROM ${name} WHERE id = $1`, [id])).length > 0,
  };
}

async function topOf(
  database: PairDatabase,
  { name }: RankedTable,
  count: number,
): Promise<readonly string[]> {
  const found = await database.rows(
    `SELECT id FROM ${name} WHERE rank0 BETWEEN 1 AND ${count} ORDER BY rank0`,
  );
  return found.map(([id]) => String(id));
}
