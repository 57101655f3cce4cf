/** @file Pairs as what an engine reads, a group of them at a time: memory does not grow with the pairs. */
import type { EmbeddingEngine, TokenizedExample } from "../engine/engine.ts";
import type { Message, RowContext } from "../format/messages.ts";
import type { PreferencePair } from "../pairs/preference-pair.ts";
import { causeOfUnusable, tokenizeResponses } from "../pairs/tokenize-sides.ts";
import type { JobOptions } from "../util/progress.ts";
import type { MethodTask } from "./method.ts";
import { readText, type RowText } from "./read-text.ts";

/** Pairs whose tokens are held at once. */
export const GROUP = 512;

/** The text of every row, each once, in groups. Throws ConfigError at the end where that of some row is missing. */
export async function* readGroups(
  task: Pick<MethodTask<"pairs">, "rows" | "pairs">,
  job: JobOptions,
): AsyncGenerator<readonly RowText[]> {
  yield* inGroups(readText(task, job));
}

/** As many of them at a time as an engine is asked about at once. */
export async function* inGroups<T>(all: AsyncIterable<T>): AsyncGenerator<readonly T[]> {
  let group: T[] = [];
  for await (const each of all) {
    group.push(each);
    if (group.length < GROUP) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

/** Turns that an engine is to read. */
export interface Turns {
  readonly prompt: readonly Message[];
  readonly responses: readonly (readonly Message[])[];
  readonly context: RowContext | undefined;
}

/** What fits the context, as token ids. */
export interface FittingExamples {
  readonly examples: readonly TokenizedExample[];
  /** Which of the given each example is. */
  readonly places: readonly number[];
  /** Why the others are none, by place. */
  readonly causes: ReadonlyMap<number, string>;
}

/** Tokenises turns, responses cut to the context; leaves out those whose prompt does not fit it, or that the template refuses. */
export function tokenizeFitting(
  engine: Pick<EmbeddingEngine, "identity" | "tokenize">,
  all: readonly Turns[],
): FittingExamples {
  const examples: TokenizedExample[] = [];
  const places: number[] = [];
  const causes = new Map<number, string>();
  for (const [i, turns] of all.entries()) {
    const found = tokenizeResponses(engine, turns, engine.identity.maxPositions);
    if (found.kind === "unusable") {
      causes.set(i, causeOfUnusable(found));
      continue;
    }
    examples.push(found.example);
    places.push(i);
  }
  return { examples, places, causes };
}

/** Both responses of a pair, the chosen one first. */
export const sidesOf = ({ prompt, chosen, rejected, context }: PreferencePair): Turns => ({
  prompt,
  responses: [chosen, rejected],
  context,
});

/** Tokens of prompt and responses together, the prompt once. */
export const tokensOf = ({ prompt, responses }: TokenizedExample): number =>
  responses.reduce((sum, each) => sum + each.length, prompt.length);
