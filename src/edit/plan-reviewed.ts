import { ConfigError, NothingToDoError } from "../util/errors.ts";
import { createRng, type Rng } from "../util/rng.ts";
import { drawRows, drawSameMix } from "./choose-pairs.ts";
import type { DecisionFile } from "./decisions.ts";
import { type Edit, type EditSettings, isRandomPick, type RandomPick } from "./edit.ts";
import { countGroups } from "./plan-edit.ts";
import type { PairTable } from "./survey-pairs.ts";

/**
 * The edit that does what people decided: pairs to drop are removed, those to swap exchanged; what is to be kept, unsure or was not looked
 * at stays. A random pick is its control: as many random pairs are removed, and as many others exchanged; of the same sources with
 * `random`, of any with `random-any`. Throws ConfigError for a pair that the data does not have and an edit that would leave no pair,
 * NothingToDoError where nothing is to be dropped or swapped.
 */
export function planReviewed(
  table: PairTable,
  file: DecisionFile,
  { pick = "chosen", seed = 0 }: Pick<EditSettings, "pick" | "seed"> = {},
): Edit {
  const { path, decisions } = file;
  expectKnownPairs(file, new Set(table.ids));
  const kindAt = (row: number): string | null => decisions.get(table.ids[row]!)?.decision ?? null;
  const of = (...kinds: readonly string[]): Uint32Array =>
    Uint32Array.from(table.ids.keys()).filter((row) => kinds.includes(kindAt(row) ?? ""));
  const decided = { drop: of("drop"), swap: of("swap") };
  if (decided.drop.length + decided.swap.length === 0) {
    throw new NothingToDoError(`${path}: no pair is to be dropped or swapped`, {
      hint: "Review some pairs first: culprit report --serve.",
    });
  }
  const idsOf = (some: Uint32Array): string[] => Array.from(some, (row) => table.ids[row]!);
  if (decided.drop.length === table.ids.length) {
    throw new ConfigError(
      `${path}: expected an edit that leaves pairs, got one that drops all ${table.ids.length}`,
    );
  }
  if (pick === "bottom") {
    throw new ConfigError("pick: expected chosen or a random one beside decisions, got bottom");
  }
  const isRandom = isRandomPick(pick);
  const { drop, swap } = isRandom
    ? drawLike(decided, { table, pick, rng: createRng(seed) })
    : decided;
  const rows = Uint32Array.from([...drop, ...swap]).toSorted();
  return {
    action: "review",
    pick,
    ids: idsOf(rows),
    swaps: idsOf(swap),
    seed: isRandom ? seed : undefined,
    by: table.by,
    groups: countGroups(table.groups, rows),
    unranked: 0,
    warnings: warningsOf(table, file, of("unsure").length),
  };
}

/** Throws ConfigError for decisions on pairs that are not among these. */
export function expectKnownPairs(
  { path, decisions }: Pick<DecisionFile, "path" | "decisions">,
  known: { has(id: string): boolean },
): void {
  const missing = [...decisions.keys()].filter((id) => !known.has(id));
  if (missing.length === 0) return;
  throw new ConfigError(
    `${path}: expected decisions on these pairs, got ${missing.length} on others, the first ${JSON.stringify(missing[0]!.slice(0, 80))}`,
    { hint: "Give the files that were reviewed." },
  );
}

/** Rows of the table that are removed, and others that are exchanged. */
interface ReviewedRows {
  readonly drop: Uint32Array;
  readonly swap: Uint32Array;
}

/** As many random rows of each kind, none of both. */
function drawLike(
  { drop, swap }: ReviewedRows,
  {
    table: { ids, groups },
    pick,
    rng,
  }: {
    readonly table: PairTable;
    readonly pick: RandomPick;
    readonly rng: Rng;
  },
): ReviewedRows {
  const draw = (pool: Uint32Array, like: Uint32Array): Uint32Array =>
    pick === "random-any" ? drawRows(pool, like.length, rng) : drawSameMix(pool, like, groups, rng);
  const dropped = draw(Uint32Array.from(ids.keys()), drop);
  const isDropped = new Set(dropped);
  const left = Uint32Array.from(ids.keys()).filter((row) => !isDropped.has(row));
  return { drop: dropped, swap: draw(left, swap) };
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
