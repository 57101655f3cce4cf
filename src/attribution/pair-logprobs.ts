import type { Steering } from "../engine/generation/steering.ts";
import type { Message } from "../format/messages.ts";
import type { PreferencePair } from "../pairs/preference-pair.ts";
import type { MethodTask, MethodWork } from "./method.ts";
import { readGroups, sidesOf, tokenizeFitting, tokensOf } from "./pair-examples.ts";
import type { RowText } from "./read-text.ts";
import type { ScoringModel } from "./scoring-model.ts";

/** How likely both responses of a pair are in one setting. */
export interface SideLogprobs {
  /** Sums over the response's tokens, in nats. */
  readonly chosen: number;
  readonly rejected: number;
  /** Tokens that were summed over. */
  readonly chosenTokens: number;
  readonly rejectedTokens: number;
}

/** A checkpoint, and what is done to it. */
export interface LogprobSetting {
  readonly model: ScoringModel;
  /** What is put before the responses. Default: the pair's prompt. */
  readonly prompt?: ((pair: PreferencePair) => readonly Message[]) | undefined;
  /** Default: none. */
  readonly steering?: Steering | undefined;
}

export interface PairLogprobsOptions {
  readonly settings: readonly LogprobSetting[];
  /** Tokens of a response that count, from its start; default all. */
  readonly responseTokens?: number | undefined;
  /** From the figures of every setting, in their order, a score for each ranking. */
  readonly scores: (found: readonly SideLogprobs[]) => readonly number[];
  /** Default 1. */
  readonly rankings?: number | undefined;
}

/**
 * Rankings of all rows from log-probabilities of both responses, [N] scores each; NaN for a pair that some setting cannot read, its prompt longer than the context
 * say. Memory does not grow with the pairs beyond the scores.
 */
export async function scoreByLogprobs(
  task: Pick<MethodTask<"pairs">, "rows" | "pairs">,
  options: PairLogprobsOptions,
  work: MethodWork,
): Promise<{ readonly rankings: readonly Float32Array[]; readonly causes: Causes }> {
  const causes = new Map<number, string>();
  const rankings = Array.from({ length: options.rankings ?? 1 }, () =>
    new Float32Array(task.rows.ids.length).fill(Number.NaN),
  );
  for await (const group of readGroups(task, work)) {
    const found: (readonly (SideLogprobs | undefined)[])[] = [];
    for (const setting of options.settings) {
      found.push(await sideLogprobs(group, setting, { ...options, ...work, causes }));
    }
    for (const [i, { row }] of group.entries()) {
      const sides = found.map((each) => each[i]);
      if (!sides.every((each) => each !== undefined)) continue;
      for (const [r, score] of options.scores(sides).entries()) rankings[r]![row] = score;
    }
  }
  return { rankings, causes };
}

type Causes = ReadonlyMap<number, string>;

async function sideLogprobs(
  group: readonly RowText[],
  { model: { engine, flopsPerToken }, prompt, steering }: LogprobSetting,
  {
    responseTokens,
    causes,
    signal,
    count,
  }: Pick<PairLogprobsOptions, "responseTokens"> &
    Pick<MethodWork, "signal" | "count"> & { readonly causes: Map<number, string> },
): Promise<readonly (SideLogprobs | undefined)[]> {
  const turns = group.map(({ pair }) => ({
    ...sidesOf(pair),
    ...(prompt !== undefined && { prompt: prompt(pair) }),
  }));
  const fitting = tokenizeFitting(engine, turns);
  for (const [place, cause] of fitting.causes) causes.set(group[place]!.row, cause); // of this group
  const examples = fitting.examples.map((example) => ({
    ...example,
    responses: example.responses.map((each) => each.subarray(0, responseTokens)),
  }));
  const sides = group.map((): SideLogprobs | undefined => undefined);
  const found = engine.logprobs(examples, { signal, steering });
  for await (const { index, logprobs, tokenCounts } of found) {
    const [chosen, rejected] = logprobs as [number, number]; // two responses went in
    const [chosenTokens, rejectedTokens] = tokenCounts as [number, number];
    sides[fitting.places[index]!] = { chosen, rejected, chosenTokens, rejectedTokens };
    const tokens = tokensOf(examples[index]!);
    count({ tokens, flops: tokens * flopsPerToken });
  }
  return sides;
}
