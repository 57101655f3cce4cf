import type { Message } from "../format/messages.ts";
import { hashValue } from "../util/hash.ts";
import type { JobOptions } from "../util/progress.ts";
import type { GivenVerdict, MissingVerdict, Verdict, VerdictPlace } from "./verdict.ts";

/** What a judge sees of a rollout. */
export interface JudgedRollout {
  readonly id: string;
  readonly scenario: string;
  readonly variant: string;
  readonly sample: number;
  readonly response: string;
  /** As a rollout has it. */
  readonly opensThinking?: boolean | undefined;
  /** What it was sampled from; rules look at the response alone. */
  readonly prompt?: readonly Message[] | undefined;
  /** Equal for scenarios that ask one request; see scenarioGroups. */
  readonly group?: string | undefined;
}

/** A rollout with the prompt it was sampled from. */
export interface RolloutWithPrompt extends JudgedRollout {
  readonly prompt: readonly Message[];
  /** Those of its scenario; no judge looks at them. */
  readonly tags?: readonly string[] | undefined;
}

/** Decides whether rollouts show a behaviour: by rules, by an LLM, by people. */
export interface Judge<R extends JudgedRollout = JudgedRollout> {
  /** With the hash of what it judges by, so that verdicts of different rules are told apart. */
  readonly name: string;
  /** What the label `shows` means, a few words. */
  readonly behavior: string;
  /** One verdict for each rollout, in their order; what cannot be judged is missing with a cause, never left out. */
  judge(rollouts: Iterable<R> | AsyncIterable<R>, options?: JobOptions): AsyncIterable<Verdict>;
}

/** The head of a verdict. */
export function placeOf(rollout: JudgedRollout, judge: string): VerdictPlace {
  const { id, scenario, variant, sample, group, prompt, response } = rollout;
  return {
    rollout: id,
    scenario,
    variant,
    sample,
    group,
    content: prompt && rolloutContent({ prompt, response }),
    judge,
  };
}

/** A hash of what a rollout says, its id left out: rollouts of two checkpoints have the same ids. */
export function rolloutContent({
  prompt,
  response,
}: Pick<RolloutWithPrompt, "prompt" | "response">): string {
  const turns = prompt.map(({ role, content }) => [role, content]);
  return hashValue([turns, response]).slice(0, 16);
}

/** What a judge that waits for nothing says of one rollout. */
type Decision = Pick<GivenVerdict, "label" | "reason"> | Pick<MissingVerdict, "missing">;

/** The verdicts of the judge of that name, which decides about one rollout after the other. */
export async function* judgeInTurn(
  rollouts: Iterable<JudgedRollout> | AsyncIterable<JudgedRollout>,
  judge: string,
  decide: (rollout: JudgedRollout) => Decision,
  { signal, progress }: JobOptions = {},
): AsyncGenerator<Verdict> {
  let done = 0;
  for await (const rollout of rollouts) {
    signal?.throwIfAborted();
    yield { ...placeOf(rollout, judge), ...decide(rollout) };
    progress?.update(++done, undefined);
  }
}
