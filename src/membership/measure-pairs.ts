import { candidateRows } from "../attribution/candidates.ts";
import { hiddenSimilarity } from "../attribution/hidden-similarity.ts";
import type { MethodTask, MethodWork } from "../attribution/method.ts";
import { readGroups } from "../attribution/pair-examples.ts";
import { scoreByLogprobs, type SideLogprobs } from "../attribution/pair-logprobs.ts";
import { type PairRows, readPairRows } from "../attribution/pair-rows.ts";
import type { PairSet } from "../pairs/open-pairs.ts";
import type { ColumnValue } from "../pairs/preference-pair.ts";
import { promptKey } from "../pairs/prompt-key.ts";
import type { JobOptions } from "../util/progress.ts";
import { createRng } from "../util/rng.ts";

/** What one pair shows of M0 and M1; log-probabilities are sums over a response's tokens, in nats. */
export interface MeasuredPair {
  readonly id: string;
  /** Row number in the pair files. */
  readonly row: number;
  /** Equal for pairs of equal prompts. */
  readonly prompt: string;
  readonly columns: Readonly<Record<string, ColumnValue>>;
  readonly chosenTokens: number;
  readonly rejectedTokens: number;
  /** Under M0. */
  readonly chosenBefore: number;
  readonly rejectedBefore: number;
  /** Drift: log π₁ − log π₀. */
  readonly chosenDrift: number;
  readonly rejectedDrift: number;
  /** Of M0, see hiddenSimilarity. */
  readonly ches: number;
  readonly chesNormalised: number;
}

/** What was measured of some pairs, and of which not. */
export interface MeasuredPairs {
  readonly pairs: readonly MeasuredPair[];
  /** Usable pairs of the files. */
  readonly given: number;
  /** Pairs left out since their prompt was to be avoided. */
  readonly sharedPrompts: number;
  /** Pairs that a checkpoint cannot read, by cause. */
  readonly unread: Readonly<Record<string, number>>;
  /** Of all pairs given. */
  readonly prompts: ReadonlySet<string>;
}

export interface MeasureOptions extends MethodWork {
  /** Pairs measured at most, drawn by `seed` where there are more. */
  readonly sample: number;
  readonly seed: number;
  /** Prompts whose pairs are left out. Default: none. */
  readonly without?: ReadonlySet<string> | undefined;
}

/** log π₁ − log π₀ of both responses of a sample of the pairs, and their CHES. Memory: a hash for each pair, and the sample. */
export async function measurePairs(
  models: Pick<MethodTask<"checkpoint" | "trained">, "checkpoint" | "trained">,
  pairs: Pick<PairSet, "read" | "columns">,
  { sample, seed, without = new Set(), ...work }: MeasureOptions,
): Promise<MeasuredPairs> {
  const all = await readPairRows(pairs, work);
  const prompts = await readPrompts({ rows: all, pairs }, work);
  const allowed = [...prompts.keys()].filter((row) => !without.has(prompts[row]!));
  const drawn = createRng(seed)
    .shuffle([...allowed])
    .slice(0, sample);
  const isCandidate = new Uint8Array(all.ids.length);
  for (const row of drawn) isCandidate[row] = 1;
  const { rows, places } = candidateRows(all, { top: drawn.length, isCandidate });
  const task = { rows, pairs, ...models };
  const measured = await measureRows(task, work);
  return {
    ...measured,
    pairs: measured.pairs.map(({ place, ...pair }) => ({
      ...pair,
      prompt: prompts[places[place]!]!,
    })),
    given: all.ids.length,
    sharedPrompts: all.ids.length - allowed.length,
    prompts: new Set(prompts),
  };
}

/** The key of each row's prompt, [N]. */
async function readPrompts(
  task: Pick<MethodTask<"pairs">, "rows" | "pairs">,
  { signal }: JobOptions,
): Promise<readonly string[]> {
  const keys = task.rows.ids.map(() => "");
  for await (const group of readGroups(task, { signal })) {
    for (const { row, pair } of group) keys[row] = promptKey(pair.prompt, pair.context);
  }
  return keys;
}

/** What scoreByLogprobs gives for a pair, in this order. */
const figuresOf = ([after, before]: readonly SideLogprobs[]): readonly number[] => [
  before!.chosenTokens,
  before!.rejectedTokens,
  before!.chosen,
  before!.rejected,
  after!.chosen - before!.chosen,
  after!.rejected - before!.rejected,
];

async function measureRows(
  { checkpoint, trained, ...task }: MethodTask<"pairs" | "checkpoint" | "trained">,
  work: MethodWork,
): Promise<{
  readonly pairs: readonly (Omit<MeasuredPair, "prompt"> & { readonly place: number })[];
  readonly unread: Readonly<Record<string, number>>;
}> {
  const settings = [trained, checkpoint].map((model) => ({ model }));
  const { rankings, causes } = await scoreByLogprobs(
    task,
    { settings, scores: figuresOf, rankings: 6 },
    work,
  );
  const similarity = await hiddenSimilarity({ ...task, checkpoint }, work);
  const unread: Record<string, number> = {};
  for (const cause of causes.values()) unread[cause] = (unread[cause] ?? 0) + 1;
  const { ids, rows, columns } = task.rows;
  const pairs = [...ids.keys()]
    .filter((place) => rankings.every((each) => !Number.isNaN(each[place])))
    .map((place) => {
      const [chosenTokens, rejectedTokens, chosenBefore, rejectedBefore, chosen, rejected] =
        rankings.map((each) => each[place]!) as [number, number, number, number, number, number];
      return {
        place,
        id: ids[place]!,
        row: rows[place]!,
        columns: columnsOf(columns, place),
        chosenTokens,
        rejectedTokens,
        chosenBefore,
        rejectedBefore,
        chosenDrift: chosen,
        rejectedDrift: rejected,
        ches: similarity.plain[place]!,
        chesNormalised: similarity.normalised[place]!,
      };
    });
  return { pairs, unread };
}

const columnsOf = (
  columns: PairRows["columns"],
  place: number,
): Readonly<Record<string, ColumnValue>> =>
  Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[place]!]));
