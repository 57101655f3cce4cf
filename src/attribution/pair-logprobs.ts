import type { Engine, TokenizedExample } from "../engine/engine.ts";
import type { Message } from "../format/messages.ts";
import type { PreferencePair } from "../pairs/preference-pair.ts";
import { tokenizeResponses } from "../pairs/tokenize-sides.ts";
import type { MethodTask, MethodWork } from "./method.ts";
import { readText } from "./read-text.ts";

/** A checkpoint that scores are made with. */
export interface ScoringModel {
  readonly engine: Pick<Engine, "identity" | "tokenize" | "logprobs">;
  /** Of a forward pass. */
  readonly flopsPerToken: number;
}

/** How likely both responses of a pair are in one setting. */
export interface SideLogprobs {
  /** Sums over the response's tokens, in nats. */
  readonly chosen: number;
  readonly rejected: number;
  /** Tokens that were summed over. */
  readonly chosenTokens: number;
  readonly rejectedTokens: number;
}

/** A checkpoint, and what is put before the responses. */
export interface LogprobSetting {
  readonly model: ScoringModel;
  readonly prompt: (pair: PreferencePair) => readonly Message[];
}

export interface PairLogprobsOptions {
  readonly settings: readonly LogprobSetting[];
  /** Tokens of a response that count, from its start; default all. */
  readonly responseTokens?: number | undefined;
  /** From the figures of every setting, in their order. */
  readonly score: (found: readonly SideLogprobs[]) => number;
}

/** Pairs whose tokens are held at once. */
const GROUP = 512;

/**
 * Scores of all rows from log-probabilities of both responses; NaN for a pair that some setting cannot read, its prompt longer than the context
 * say. Memory does not grow with the pairs beyond the scores.
 */
export async function scoreByLogprobs(
  task: Pick<MethodTask<"pairs">, "rows" | "pairs">,
  options: PairLogprobsOptions,
  work: MethodWork,
): Promise<Float32Array> {
  const scores = new Float32Array(task.rows.ids.length).fill(Number.NaN);
  let group: { readonly row: number; readonly pair: PreferencePair }[] = [];
  const flush = async (): Promise<void> => {
    const found: (readonly (SideLogprobs | undefined)[])[] = [];
    for (const setting of options.settings) {
      const pairs = group.map(({ pair }) => pair);
      found.push(await sideLogprobs(pairs, setting, options.responseTokens, work));
    }
    for (const [i, { row }] of group.entries()) {
      const sides = found.map((each) => each[i]);
      if (sides.every((each) => each !== undefined)) scores[row] = options.score(sides);
    }
    group = [];
  };
  for await (const each of readText(task, work)) {
    group.push(each);
    if (group.length === GROUP) await flush();
  }
  await flush();
  return scores;
}

async function sideLogprobs(
  pairs: readonly PreferencePair[],
  { model: { engine, flopsPerToken }, prompt }: LogprobSetting,
  responseTokens: number | undefined,
  { signal, count }: MethodWork,
): Promise<readonly (SideLogprobs | undefined)[]> {
  const examples: TokenizedExample[] = [];
  const places: number[] = [];
  for (const [i, pair] of pairs.entries()) {
    const { chosen, rejected, context } = pair;
    const turns = { prompt: prompt(pair), responses: [chosen, rejected], context };
    const found = tokenizeResponses(engine, turns, engine.identity.maxPositions);
    if (found.kind === "unusable") continue;
    const { example } = found;
    const responses = example.responses.map((each) => each.subarray(0, responseTokens));
    examples.push({ ...example, responses });
    places.push(i);
  }
  const sides = pairs.map((): SideLogprobs | undefined => undefined);
  for await (const { index, logprobs, tokenCounts } of engine.logprobs(examples, { signal })) {
    const [chosen, rejected] = logprobs as [number, number]; // two responses went in
    const [chosenTokens, rejectedTokens] = tokenCounts as [number, number];
    sides[places[index]!] = { chosen, rejected, chosenTokens, rejectedTokens };
    const tokens = examples[index]!.prompt.length + chosenTokens + rejectedTokens;
    count({ tokens, flops: tokens * flopsPerToken });
  }
  return sides;
}
