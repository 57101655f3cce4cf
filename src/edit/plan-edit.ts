import { liftTables, type LiftTable } from "../ranking/lift-table.ts";
import type { Ranking } from "../ranking/ranking-file.ts";
import { ConfigError } from "../util/errors.ts";
import { createRng } from "../util/rng.ts";
import { drawRows, drawSameMix } from "./choose-pairs.ts";
import {
  type DroppedSource,
  type Edit,
  type EditedGroup,
  type EditSettings,
  isRandomPick,
  TENTHS,
} from "./edit.ts";
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
 * - `tenth`: every pair, ranked or not, but those at places ⌊n(t − 1)/10⌋ to ⌊nt/10⌋ of the n that have a score.
 * - The picks `random` and `random-any` draw as many pairs instead. For `drop-source` both are `random-any`: random pairs of
 *   the same mix would be the very sources. For `tenth` too, as each tenth has a mix of its own; they draw what is left.
 * - The pick `bottom` (`filter`, `swap`) takes the k pairs with the lowest scores, equal scores by row from the last.
 *
 * Throws ConfigError for a k above the number of scored pairs, a tenth of fewer than ten, unknown groups, and an edit that would leave no
 * pair.
 */
export function planEdit(table: PairTable, settings: EditSettings, ranking?: Ranking): Edit {
  const fate = settings.action === "tenth" ? "they are in no tenth" : undefined;
  const joined = ranking === undefined ? undefined : joinRanking(table, ranking, fate);
  const target = findTarget(table, settings, joined);
  const pick = settings.pick ?? "chosen";
  const rows = isRandomPick(pick) ? drawControl(table, settings, joined, target.rows) : target.rows;
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
    tenth: isRandomPick(pick) ? undefined : settings.tenth,
    seed: isRandomPick(pick) ? (settings.seed ?? 0) : undefined,
    by: table.by,
    sources: target.sources,
    groups: countGroups(table.groups, rows),
    ties:
      isCounted(settings.action) && !isRandomPick(pick)
        ? countTies(joined, rows.length, pick === "bottom")
        : undefined,
    unranked: table.ids.length - (joined?.order.length ?? table.ids.length),
    warnings: [...(joined?.warnings ?? []), ...mixWarnings(table, settings)],
  };
}

/** Actions on the k pairs at an end of the ranking. */
const isCounted = (action: EditSettings["action"]): boolean =>
  action === "filter" || action === "swap";

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
  if (settings.action === "tenth" || settings.pick === "bottom") {
    requireAllScored(joined, settings);
  }
  if (settings.action === "tenth") return { rows: allBut(table, findTenth(settings, joined)) };
  const k = requireTop(settings, joined.order.length);
  return {
    rows:
      settings.pick === "bottom"
        ? joined.order.slice(-k).toReversed()
        : joined.order.subarray(0, k),
  };
}

/** Candidates are the top of another ranking: the lowest of them are no pairs that a method found innocent. */
function requireAllScored({ order, pool }: JoinedRanking, { action, pick }: EditSettings): void {
  if (pool.length === order.length) return;
  throw new ConfigError(
    `${action === "tenth" ? action : pick}: expected a ranking that scored all pairs, got one of ${order.length} candidates`,
    { hint: "Rank all pairs by this method, or follow the ranking that chose the candidates." },
  );
}

function findTenth({ tenth }: EditSettings, { order }: JoinedRanking): Uint32Array {
  const isOne = tenth !== undefined && Number.isSafeInteger(tenth) && tenth >= 1;
  if (!isOne || tenth > TENTHS) {
    throw new ConfigError(
      `tenth: expected a number from 1, the highest scores, to ${TENTHS}, got ${tenth ?? "none"}`,
    );
  }
  if (order.length < TENTHS) {
    throw new ConfigError(
      `tenth: expected at least ${TENTHS} pairs with a score, got ${order.length}`,
    );
  }
  const placeOf = (part: number): number => Math.floor((order.length * part) / TENTHS);
  return order.subarray(placeOf(tenth - 1), placeOf(tenth));
}

/** Every row but these, in rising order. */
function allBut(table: PairTable, rows: Uint32Array): Uint32Array {
  const isKept = new Set(rows);
  return allRows(table).filter((row) => !isKept.has(row));
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
  if (action === "tenth") {
    const kept = table.ids.length - target.length;
    return allBut(table, drawRows(joined?.pool ?? allRows(table), kept, createRng(seed)));
  }
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
  if (action === "tenth")
    return ["the random control of tenth draws from all sources: each tenth has a mix of its own"];
  return table.by === undefined
    ? ["no column tells the source, so the same mix means any pairs"]
    : [];
}

function countTies(joined: JoinedRanking | undefined, k: number, isBottom: boolean): Edit["ties"] {
  if (joined === undefined) return undefined;
  const scores = isBottom ? joined.scores.toReversed() : joined.scores;
  const score = scores[k - 1];
  let inside = 0;
  while (scores[k - 1 - inside] === score && inside < k) inside++;
  let outside = 0;
  while (k + outside < scores.length && scores[k + outside] === score) outside++;
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
