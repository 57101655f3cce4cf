import { inGroups, tokenizeFitting, tokensOf } from "../attribution/pair-examples.ts";
import type { ScoringModel } from "../attribution/scoring-model.ts";
import { promptKey } from "../pairs/prompt-key.ts";
import type { ResponsePair } from "../pairs/response-pairs.ts";
import { clusteredMean } from "../stats/clustered-mean.ts";
import { commonestFirst, listCounts } from "../util/commonest-first.ts";
import { ConfigError } from "../util/errors.ts";
import type { JobOptions } from "../util/progress.ts";
import { meanOf } from "../util/vector.ts";
import type { MeasuredShift } from "./shifts-file.ts";

/** The response pairs of a behaviour, by its name. */
export interface NamedResponses {
  readonly name: string;
  readonly pairs: readonly ResponsePair[];
  /** Those of the file that were left out on reading, by cause. Default: none. */
  readonly leftOut?: Readonly<Record<string, number>> | undefined;
  /** SHA-256 of their files. */
  readonly files?: readonly string[] | undefined;
}

/** How far training moved the margins of one behaviour. */
export interface MeasuredMargin {
  readonly name: string;
  readonly margin: MeasuredShift;
  readonly perToken: MeasuredShift;
  /** Mean tokens of the after-responses less those of the before-responses. */
  readonly tokens: number;
  readonly files: readonly string[];
  readonly unusable: number;
  /** The unusable ones by cause, the commonest first. */
  readonly causes: Readonly<Record<string, number>>;
}

/** A response pair that a checkpoint cannot read. */
interface Unreadable {
  readonly cause: string;
}

export interface MarginWork extends JobOptions {
  /** Adds to the cost. */
  readonly count: (used: { readonly tokens: number; readonly flops: number }) => void;
}

/** The margin of one response pair, and the tokens by which its after-response is longer. */
interface PairMargin {
  readonly margin: number;
  /** Each log-probability divided by its tokens. */
  readonly perToken: number;
  readonly tokens: number;
}

/**
 * Log-probability of the after-response less that of the before-response, summed over tokens and by the token, in nats: on the checkpoint before, on the one after, and the
 * difference, for each behaviour. With one β that difference is DPO's implicit reward margin over β (arXiv 2305.18290, eq. 5). Intervals are over prompts, or groups
 * where response pairs name them. Pairs that a checkpoint cannot read are left out and counted by cause; throws ConfigError where a behaviour has no other.
 *
 * Worked: log-probabilities −5 after and −4 before on M0 (margin −1), −3 and −6 on M1 (margin 3): shift 4.
 */
export async function measureMargins(
  behaviors: readonly NamedResponses[],
  models: { readonly before: ScoringModel; readonly after: ScoringModel },
  work: MarginWork,
): Promise<readonly MeasuredMargin[]> {
  const all = behaviors.flatMap(({ pairs }) => pairs);
  const total = 2 * all.length;
  let done = 0;
  const tick = (count: number): void => work.progress?.update((done += count), total);
  const before = await readMargins(all, models.before, work, tick);
  const after = await readMargins(all, models.after, work, tick);
  let first = 0;
  return behaviors.map(({ name, pairs, leftOut = {}, files = [] }) => {
    const from = first;
    first += pairs.length;
    const causes = new Map(Object.entries(leftOut));
    const read = pairs.flatMap((pair, i) => {
      const [start, end] = [before[from + i]!, after[from + i]!]; // of the same pairs
      if ("cause" in start || "cause" in end) {
        const { cause } = "cause" in start ? start : (end as Unreadable); // one of the two is
        causes.set(cause, (causes.get(cause) ?? 0) + 1);
        return [];
      }
      return [{ pair, start, end }];
    });
    const counts = commonestFirst(causes);
    if (read.length === 0) {
      throw new ConfigError(
        `responses: expected response pairs of "${name}" that both checkpoints can read, got none of ${pairs.length} (${listCounts(counts)})`,
      );
    }
    const groups = read.map(({ pair }) => pair.group ?? promptKey(pair.prompt, pair.context));
    const shift = (of: "margin" | "perToken"): MeasuredShift => ({
      before: meanOf(read.map(({ start }) => start[of])),
      after: meanOf(read.map(({ end }) => end[of])),
      ...shiftOf(
        read.map(({ start, end }) => end[of] - start[of]),
        groups,
      ),
    });
    return {
      name,
      margin: shift("margin"),
      perToken: shift("perToken"),
      tokens: meanOf(read.map(({ start }) => start.tokens)),
      files,
      unusable: Object.values(counts).reduce((sum, count) => sum + count, 0),
      causes: counts,
    };
  });
}

/** The mean of differences with its interval over groups. */
export function shiftOf(
  differences: readonly number[],
  groups: readonly string[],
): Pick<MeasuredShift, "shift" | "low" | "high" | "items" | "groups"> {
  const labels = new Map<string, number>();
  const own = groups.map((group) => {
    const label = labels.get(group) ?? labels.size;
    labels.set(group, label);
    return label;
  });
  const { value, low, high } = clusteredMean(differences, own);
  return { shift: value, low, high, items: differences.length, groups: labels.size };
}

async function readMargins(
  pairs: readonly ResponsePair[],
  { engine, flopsPerToken }: ScoringModel,
  { signal, count }: MarginWork,
  tick: (count: number) => void,
): Promise<readonly (PairMargin | Unreadable)[]> {
  const found: (PairMargin | Unreadable)[] = [];
  let first = 0;
  for await (const group of inGroups(each(pairs))) {
    const turns = group.map(({ prompt, before, after, context }) => ({
      prompt,
      responses: [after, before],
      context,
    }));
    const { examples, places, causes } = tokenizeFitting(engine, turns);
    for (const [place, cause] of causes) found[first + place] = { cause };
    for await (const { index, logprobs, tokenCounts } of engine.logprobs(examples, { signal })) {
      const [after, before] = logprobs as [number, number]; // two responses went in
      const [longer, shorter] = tokenCounts as [number, number];
      found[first + places[index]!] = {
        margin: after - before,
        perToken: after / longer - before / shorter,
        tokens: longer - shorter,
      };
      const tokens = tokensOf(examples[index]!);
      count({ tokens, flops: tokens * flopsPerToken });
    }
    first += group.length;
    tick(group.length);
  }
  return found;
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
