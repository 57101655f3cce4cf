import type { SpareField } from "../endpoint/refused-fields.ts";
import { commonestFirst } from "../util/commonest-first.ts";
import { createIdenticalCounter, type IdenticalSamples } from "./identical-samples.ts";
import type { AbsentRollout } from "./rollout-manifest.ts";
import { type Rollout, rolloutId } from "./rollouts.ts";
import type { ScenarioPrompt } from "./scenarios.ts";

/** What sampling from an endpoint came to. */
export interface EndpointRolloutCounts {
  /** In the file. */
  readonly rollouts: number;
  /** Of them, in the store before. */
  readonly resumed: number;
  /** Rollouts whose `tokens` are estimated, because the endpoint did not say. */
  readonly estimated: number;
  /** Rollouts that the limit of tokens or the context cut. */
  readonly cut: number;
  /** Rollouts whose end means nothing to us, by the endpoint's word for it, "none" where it has none. */
  readonly unknownEnds: Readonly<Record<string, number>>;
  /** Rollouts that were asked for without a field that the endpoint does not take, by field. */
  readonly leftOut: Readonly<Record<string, number>>;
  /** Prompts whose samples are all of one text. */
  readonly identical: IdenticalSamples;
  /** Samples without a rollout, by cause. */
  readonly failed: Readonly<Record<string, number>>;
}

/** A rollout of an endpoint, with how it came. */
export interface CameFromEndpoint {
  readonly rollout: Rollout;
  readonly isResumed: boolean;
  readonly isEstimated: boolean;
  readonly reason?: string | undefined;
  readonly leftOut?: readonly SpareField[] | undefined;
}

export interface EndpointCounter {
  /** A rollout that goes into the file. */
  add(came: CameFromEndpoint): void;
  /** A sample that does not. */
  addFailed(cause: string, prompt: ScenarioPrompt, sample: number): void;
  counts(): EndpointRolloutCounts;
  readonly absent: readonly AbsentRollout[];
}

/** Makes a counter. Memory: a text for each prompt, a record for each failed sample. */
export function createEndpointCounter(): EndpointCounter {
  const numbers = { rollouts: 0, resumed: 0, estimated: 0, cut: 0 };
  const [failed, unknownEnds, leftOut] = [newTally(), newTally(), newTally()];
  const identical = createIdenticalCounter();
  const absent: AbsentRollout[] = [];
  return {
    absent,
    add({ rollout, isResumed, isEstimated, reason = "none", leftOut: fields = [] }) {
      numbers.rollouts++;
      if (isResumed) numbers.resumed++;
      if (isEstimated) numbers.estimated++;
      if (rollout.finish === "length") numbers.cut++;
      if (rollout.finish === "unknown") raise(unknownEnds, reason);
      for (const field of fields) raise(leftOut, field);
      identical.add(rollout, rollout.response);
    },
    addFailed(cause, prompt, sample) {
      raise(failed, cause);
      const { scenario, variant, group } = prompt;
      const rollout = rolloutId(prompt, sample);
      absent.push({ rollout, scenario, variant, sample, group, missing: `not sampled: ${cause}` });
    },
    counts: () => ({
      ...numbers,
      unknownEnds: commonestFirst(unknownEnds),
      leftOut: commonestFirst(leftOut),
      identical: identical.counts(),
      failed: commonestFirst(failed),
    }),
  };
}

const newTally = (): Map<string, number> => new Map();

const raise = (tally: Map<string, number>, key: string): void =>
  void tally.set(key, (tally.get(key) ?? 0) + 1);
