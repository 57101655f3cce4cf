import type { Message } from "../format/messages.ts";
import type { ResponsePair } from "../pairs/response-pairs.ts";
import type { Rollout } from "../rollouts/rollouts.ts";
import { ConfigError, FormatError } from "../util/errors.ts";
import { hashValue } from "../util/hash.ts";

/** One prompt with the responses of both checkpoints, in the order of their samples. */
export interface PromptResponses {
  /** `scenario/variant`. */
  readonly id: string;
  readonly scenario: string;
  readonly variant: string;
  readonly prompt: readonly Message[];
  /** Of M0; at least two. */
  readonly before: readonly string[];
  /** Of M1; at least two. */
  readonly after: readonly string[];
  /** As the rollouts name it. */
  readonly group?: string | undefined;
  readonly tags?: readonly string[] | undefined;
}

/** Prompts that both checkpoints answered, and those left out. */
export interface JoinedResponses {
  readonly prompts: readonly PromptResponses[];
  /** Prompts that one checkpoint alone answered, or that have fewer than two responses of one with text. */
  readonly leftOut: number;
}

/** Samples that every prompt needs of each checkpoint: one for each half of the data. */
const MIN_SAMPLES = 2;

/**
 * Joins the rollouts of both checkpoints by scenario and variant, in the order of those before. Empty responses are left out. Throws
 * FormatError where a prompt differs between the two, ConfigError where nothing can be joined.
 */
export async function joinResponses(
  before: AsyncIterable<Rollout>,
  after: AsyncIterable<Rollout>,
): Promise<JoinedResponses> {
  const [starts, ends] = [await byPrompt(before), await byPrompt(after)];
  const prompts: PromptResponses[] = [];
  for (const [id, start] of starts) {
    const end = ends.get(id);
    if (end === undefined) continue;
    const [first, last] = [start[0]!, end[0]!];
    if (hashValue(first.prompt) !== hashValue(last.prompt)) {
      throw new FormatError(`${id}: expected the same prompt from both checkpoints, got two`, {
        hint: "Sample both checkpoints from one file of prompts.",
      });
    }
    const [said, says] = [textsOf(start), textsOf(end)];
    if (said.length < MIN_SAMPLES || says.length < MIN_SAMPLES) continue;
    const { scenario, variant, prompt, group, tags } = last;
    prompts.push({ id, scenario, variant, prompt, before: said, after: says, group, tags });
  }
  const all = new Set([...starts.keys(), ...ends.keys()]).size;
  if (prompts.length === 0) {
    throw new ConfigError(
      `rollouts: expected prompts with ${MIN_SAMPLES} responses of each checkpoint, got none of ${all}`,
      { hint: "Sample both checkpoints from one file of prompts, two or more responses each." },
    );
  }
  return { prompts, leftOut: all - prompts.length };
}

async function byPrompt(rollouts: AsyncIterable<Rollout>): Promise<Map<string, Rollout[]>> {
  const found = new Map<string, Rollout[]>();
  for await (const rollout of rollouts) {
    const id = `${rollout.scenario}/${rollout.variant}`;
    const list = found.get(id);
    if (list === undefined) found.set(id, [rollout]);
    else list.push(rollout);
  }
  return found;
}

const textsOf = (rollouts: readonly Rollout[]): readonly string[] =>
  rollouts
    .toSorted((a, b) => a.sample - b.sample)
    .map(({ response }) => response)
    .filter((text) => text.trim() !== "");

/** The last turn of the user, which says what is asked. */
export function promptText({ prompt }: Pick<PromptResponses, "prompt">): string {
  const last = prompt.findLast(({ role }) => role === "user") ?? prompt.at(-1);
  return last?.content ?? "";
}

/**
 * The response pairs of some prompts, as culprit behavior reads them: M1's responses (after) with those of M0 (before) in the order of their
 * samples, M0's again where they are fewer; pairs of the same text are left out.
 */
export function pairResponses(prompts: readonly PromptResponses[]): readonly ResponsePair[] {
  const say = (content: string): readonly Message[] => [{ role: "assistant", content }];
  return prompts.flatMap(({ id, scenario, prompt, before, after, group, tags }) =>
    after.flatMap((end, sample) => {
      const start = before[sample % before.length]!;
      if (start.trim() === end.trim()) return [];
      const marks = { scenario, group: group ?? scenario, tags };
      return [{ id: `${id}/${sample}`, prompt, before: say(start), after: say(end), ...marks }];
    }),
  );
}
