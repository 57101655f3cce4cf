import { liftTables, type LiftTable } from "../ranking/lift-table.ts";
import type { Ranking } from "../ranking/ranking-file.ts";
import { ConfigError } from "../util/errors.ts";
import { createRng } from "../util/rng.ts";
import { drawRows, drawSameMix } from "./choose-pairs.ts";
import type { DroppedSource, Edit, EditedGroup, EditSettings } from "./edit.ts";
import { joinRanking, type JoinedRanking } from "./join-ranking.ts";
import type { PairTable } from "./survey-pairs.ts";

/** A source counts as over-represented where its lift is above this for certain; see docs/decisions.md. */
export const DEFAULT_MIN_LIFT = 1.5;

/**
 * Decides which pairs an edit takes. A ranking is needed for `filter`, `swap` and automatic `drop-source`, save with the pick
 * `random-any`, which draws from all pairs then. With a ranking only pairs that have a score are chosen, and those
 * or pairs that were no candidates are drawn.
 *
 * - `filter`, `swap`: the k pairs with the highest scores, equal scores by row.
 * - `drop-source`: every pair, ranked or not, of the named groups, or (`auto`) of the groups whose lift in the top k has a 95%
 *   interval above `minLift`. No such group: an edit of no pairs.
 * - The picks `random` and `random-any` draw as many pairs instead. For `drop-source` both are `random-any`: random pairs of
 *   the same mix would be the very sources.
 *
 * Throws ConfigError for a k above the number of scored pairs, unknown groups, and an edit that would leave no pair.
 */
export function planEdit(table: PairTable, settings: EditSettings, ranking?: Ranking): Edit {
  const joined = ranking === undefined ? undefined : joinRanking(table, ranking);
  const target = findTarget(table, settings, joined);
  const pick = settings.pick ?? "chosen";
  const rows = pick === "chosen" ? target.rows : drawControl(table, settings, joined, target.rows);
  if (rows.length === table.ids.length && settings.action !== "swap") {
    throw new ConfigError(
      `${settings.action}: expected an edit that leaves pairs, got one that takes all ${rows.length}`,
    );
  }
  return {
    action: settings.action,
    pick,
    method: ranking?.file?.method,
    ids: Array.from(rows, (row) => table.ids[row]!),
    top: settings.top,
    seed: pick === "chosen" ? undefined : (settings.seed ?? 0),
    by: table.by,
    sources: target.sources,
    groups: countGroups(table.groups, rows),
    ties:
      settings.action === "drop-source" || pick !== "chosen"
        ? undefined
        : countTies(joined, rows.length),
    unranked: table.ids.length - (joined?.order.length ?? table.ids.length),
    warnings: [...(joined?.warnings ?? []), ...mixWarnings(table, settings)],
  };
}

interface Target {
  readonly rows: Uint32Array;
  readonly sources?: readonly DroppedSource[] | undefined;
}

/** What the edit takes when nothing is random. */
function findTarget(
  table: PairTable,
  settings: EditSettings,
  joined: JoinedRanking | undefined,
): Target {
  if (settings.action === "drop-source") return findSources(table, settings, joined);
  if (joined === undefined) {
    if (settings.pick !== "random-any") throw missingRanking(settings);
    const all = allRows(table);
    return { rows: all.subarray(0, requireTop(settings, all.length)) };
  }
  return { rows: joined.order.subarray(0, requireTop(settings, joined.order.length)) };
}

function findSources(
  table: PairTable,
  settings: EditSettings,
  joined: JoinedRanking | undefined,
): Target {
  if (table.by === undefined) {
    throw new ConfigError("drop-source: expected pairs with a source, got none that tell theirs", {
      hint: "--source-column or --by names the column.",
    });
  }
  const { sources = "auto" } = settings;
  const dropped =
    sources === "auto" ? overRepresented(table, settings, joined) : namedSources(table, sources);
  const names = new Set(dropped.map(({ group }) => group));
  return { rows: allRows(table).filter((row) => names.has(table.groups[row]!)), sources: dropped };
}

function overRepresented(
  table: PairTable,
  settings: EditSettings,
  joined: JoinedRanking | undefined,
): DroppedSource[] {
  if (joined === undefined) throw missingRanking(settings);
  const k = requireTop(settings, joined.order.length);
  // The top against all that might have been in it; candidates are no sample of the pairs.
  const isScored = new Set(joined.order);
  const order = Uint32Array.from([...joined.order, ...joined.pool.filter((r) => !isScored.has(r))]);
  const [lifts] = liftTables(table.groups, order, [k]) as [LiftTable]; // one k, one table
  return lifts.rows
    .filter(({ low }) => low > (settings.minLift ?? DEFAULT_MIN_LIFT))
    .map(({ group, lift, low, high }) => ({ group, lift: { value: lift, low, high } }));
}

function namedSources(table: PairTable, names: readonly string[]): DroppedSource[] {
  const known = new Set(table.groups);
  const unknown = names.filter((name) => !known.has(name));
  if (names.length === 0 || unknown.length > 0) {
    const shown = [...known].slice(0, 20).map((name) => name.slice(0, 60));
    throw new ConfigError(
      `drop-source: expected values of the column "${table.by}", got ${names.length === 0 ? "none" : unknown.map((name) => JSON.stringify(name.slice(0, 60))).join(", ")}`,
      { hint: `There are: ${shown.join(", ")}${known.size > shown.length ? ", …" : ""}.` },
    );
  }
  return [...new Set(names)].map((group) => ({ group }));
}

function drawControl(
  table: PairTable,
  { action, pick, seed = 0 }: EditSettings,
  joined: JoinedRanking | undefined,
  target: Uint32Array,
): Uint32Array {
  // Whole sources may hold pairs without a score; a control as large as they are draws from all pairs.
  const pool = joined === undefined || action === "drop-source" ? allRows(table) : joined.pool;
  return pick === "random-any" || action === "drop-source"
    ? drawRows(pool, target.length, createRng(seed))
    : drawSameMix(pool, target, table.groups, createRng(seed));
}

function requireTop({ action, top }: EditSettings, ranked: number): number {
  if (top !== undefined && Number.isSafeInteger(top) && top >= 1 && top <= ranked) return top;
  throw new ConfigError(
    `${action}: expected a top from 1 to ${ranked} (the pairs with a score), got ${top ?? "none"}`,
  );
}

function missingRanking({ action }: EditSettings): ConfigError {
  return new ConfigError(`${action}: expected a ranking to choose pairs by, got none`, {
    hint: "culprit rank --out writes one.",
  });
}

function mixWarnings(table: PairTable, { action, pick }: EditSettings): string[] {
  if (pick !== "random") return [];
  if (action === "drop-source")
    return [
      "the random control of drop-source draws from all sources: the same mix would be the sources themselves",
    ];
  return table.by === undefined
    ? ["no column tells the source, so the same mix means any pairs"]
    : [];
}

function countTies(joined: JoinedRanking | undefined, k: number): Edit["ties"] {
  if (joined === undefined) return undefined;
  const score = joined.scores[k - 1];
  let inside = 0;
  while (joined.scores[k - 1 - inside] === score && inside < k) inside++;
  let outside = 0;
  while (k + outside < joined.scores.length && joined.scores[k + outside] === score) outside++;
  return { inside, outside };
}

/** How much of each group these rows take, most first. */
export function countGroups(groups: readonly string[], rows: Uint32Array): EditedGroup[] {
  const counts = new Map<string, { group: string; pairs: number; edited: number }>();
  for (const group of groups) {
    const count = counts.get(group) ?? { group, pairs: 0, edited: 0 };
    count.pairs++;
    counts.set(group, count);
  }
  for (const row of rows) counts.get(groups[row]!)!.edited++;
  return [...counts.values()].toSorted((a, b) => b.edited - a.edited || b.pairs - a.pairs);
}

function allRows(table: PairTable): Uint32Array {
  return Uint32Array.from(table.ids, (_, row) => row);
}
