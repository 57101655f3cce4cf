import { givenTags } from "../data/read-tags.ts";
import type { ResponsePair } from "../data/response-pairs.ts";
import type { Message } from "../format/messages.ts";
import type { RolloutWithPrompt } from "../judge/judge.ts";
import { isMissing, type Verdict } from "../judge/verdict.ts";
import { writeFileAtomic } from "../util/atomic-file.ts";
import { FormatError } from "../util/errors.ts";
import { hashValue } from "../util/hash.ts";
import type { CheckpointRole, JudgedCheckpoints } from "./conditions.ts";
import { noteGroups, PLAIN_VARIANT, withGroups } from "./scenario-groups.ts";

export interface RolloutPairsOptions {
  /** The scenarios to take, as the filter left them. */
  readonly kept: readonly string[];
  /** The variant to take. Default `base+distractor`. */
  readonly trigger?: string;
  /** The variant whose prompt is the scenario's request; pairs of scenarios with one request are one group. Default `base`. */
  readonly plain?: string;
  /** Pairs of one scenario, at most. Default: one for each showing rollout. */
  readonly maxPairs?: number;
}

type Rollouts = Iterable<RolloutWithPrompt> | AsyncIterable<RolloutWithPrompt>;

/**
 * Pairs every M1 rollout that shows the behaviour (after) with an M0 rollout to the same prompt that does not (before), both in the
 * order of their samples; where M0 has fewer, they are used again. A pair has the tags of its rollouts and the group
 * of its scenario: equal for scenarios whose plain variant asks the same request. Empty and identical responses are left out. Throws FormatError where the two checkpoints were given different prompts for a scenario.
 */
export async function pairRollouts(
  rollouts: { readonly [C in CheckpointRole]: Rollouts },
  judged: JudgedCheckpoints,
  options: RolloutPairsOptions,
): Promise<readonly ResponsePair[]> {
  const { kept, trigger = "base+distractor", maxPairs = Infinity } = options;
  const { plain = PLAIN_VARIANT } = options;
  const groups = new Map<string, string>();
  const wanted = new Set(kept);
  const keyOf = ({ scenario, variant }: Place): string | undefined =>
    variant === trigger && wanted.has(scenario) ? scenario : undefined;
  const take = (
    role: CheckpointRole,
    label: "shows" | "not",
  ): Promise<Map<string, RolloutWithPrompt[]>> =>
    collect(noteGroups(rollouts[role], plain, groups), judged[role], { label, role, keyOf });
  const before = await take("before", "not");
  const after = await take("after", "shows");
  const pairs = kept.flatMap((scenario) =>
    joinSamples(before.get(scenario) ?? [], after.get(scenario) ?? [], maxPairs),
  );
  return withGroups(pairs, groups);
}

/**
 * Pairs M1 rollouts (after) with M0 rollouts to the same prompt (before) of which neither shows the behaviour, in every scenario and variant:
 * what else training changed. A behaviour made of them is a second null for a ranking, an unrelated one that needs no further data. What
 * M1 drifts by may lean towards the behaviour all the same, so holding a ranking to it can take a claim away and never adds one. Empty
 * and identical responses are left out; `maxPairs` is for each scenario and variant, default all. Throws as pairRollouts does.
 */
export async function pairDrift(
  rollouts: { readonly [C in CheckpointRole]: Rollouts },
  judged: JudgedCheckpoints,
  {
    maxPairs = Infinity,
    plain = PLAIN_VARIANT,
  }: Pick<RolloutPairsOptions, "maxPairs" | "plain"> = {},
): Promise<readonly ResponsePair[]> {
  const groups = new Map<string, string>();
  const take = (role: CheckpointRole): Promise<Map<string, RolloutWithPrompt[]>> =>
    collect(noteGroups(rollouts[role], plain, groups), judged[role], {
      label: "not",
      role,
      keyOf: conditionKey,
    });
  const before = await take("before");
  const after = await take("after");
  const pairs = [...after].flatMap(([key, ends]) =>
    joinSamples(before.get(key) ?? [], ends, maxPairs),
  );
  return withGroups(pairs, groups);
}

function conditionKey({ scenario, variant }: Place): string {
  return JSON.stringify([scenario, variant]);
}

/** Pairs rollouts of one prompt in the order of their samples; the starts are used again where they are fewer. */
function joinSamples(
  starts: readonly RolloutWithPrompt[],
  ends: readonly RolloutWithPrompt[],
  maxPairs: number,
): ResponsePair[] {
  const pairs: ResponsePair[] = [];
  for (const end of ends) {
    const start = starts[pairs.length % Math.max(1, starts.length)];
    if (start === undefined || pairs.length >= maxPairs) break;
    if (start.response.trim() === end.response.trim()) continue;
    pairs.push(toPair(start, end));
  }
  return pairs;
}

/** Writes response pairs as `culprit behavior` reads them, whole or not at all. */
export async function writeResponsePairs(
  path: string,
  pairs: readonly ResponsePair[],
): Promise<void> {
  const lines = pairs.map(({ id, prompt, before, after, scenario, group, tags }) =>
    JSON.stringify({ id, prompt, before, after, scenario, group, tags }),
  );
  await writeFileAtomic(path, lines.map((line) => `${line}\n`).join(""));
}

/** Where a rollout and its verdict stand. */
type Place = Pick<Verdict, "scenario" | "variant">;

interface Wanted {
  readonly label: "shows" | "not";
  readonly role: CheckpointRole;
  /** By what rollouts are grouped; undefined for those that are not wanted. */
  readonly keyOf: (place: Place) => string | undefined;
}

function labelled(verdicts: readonly Verdict[], { label, keyOf }: Wanted): ReadonlySet<string> {
  const own = verdicts.filter((each) => !isMissing(each) && each.label === label);
  return new Set(own.filter((each) => keyOf(each) !== undefined).map(({ rollout }) => rollout));
}

async function collect(
  rollouts: Rollouts,
  verdicts: readonly Verdict[],
  wanted: Wanted,
): Promise<Map<string, RolloutWithPrompt[]>> {
  const ids = labelled(verdicts, wanted);
  const found = new Map<string, RolloutWithPrompt[]>();
  const absent = new Set(ids);
  for await (const rollout of rollouts) {
    const key = wanted.keyOf(rollout);
    if (key === undefined || !ids.has(rollout.id)) continue;
    absent.delete(rollout.id);
    if (rollout.response.trim() === "") continue;
    const list = found.get(key);
    if (list === undefined) found.set(key, [rollout]);
    else list.push(rollout);
  }
  const [first] = absent;
  if (first !== undefined) {
    throw new FormatError(
      `rollouts of the checkpoint ${wanted.role}: expected those that were judged, got none for ${absent.size} of ${ids.size} verdicts, ${JSON.stringify(first.slice(0, 80))} among them`,
      { hint: "Give the rollouts that the verdicts were made from." },
    );
  }
  for (const list of found.values()) list.sort((a, b) => a.sample - b.sample);
  return found;
}

function toPair(start: RolloutWithPrompt, end: RolloutWithPrompt): ResponsePair {
  const { scenario, variant, prompt } = end;
  if (hashValue(start.prompt) !== hashValue(prompt)) {
    throw new FormatError(
      `scenario "${scenario}", ${variant}: expected the same prompt from both checkpoints, got two`,
      { hint: "Sample both checkpoints from one scenarios file." },
    );
  }
  const say = (content: string): readonly Message[] => [{ role: "assistant", content }];
  return {
    id: `${scenario}/${variant}/${start.sample}-${end.sample}`,
    prompt,
    before: say(start.response),
    after: say(end.response),
    scenario,
    ...givenTags({ tags: [...new Set([...(start.tags ?? []), ...(end.tags ?? [])])] }),
  };
}
