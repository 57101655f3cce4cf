import type { Message } from "../format/messages.ts";
import { rolloutContent, type RolloutWithPrompt } from "../judge/judge.ts";
import { type GivenVerdict, isMissing, type Label, type Verdict } from "../judge/verdict.ts";
import type { ResponsePair } from "../pairs/response-pairs.ts";
import { givenTags } from "../pairs/row-marks.ts";
import { FormatError } from "../util/errors.ts";
import { hashValue } from "../util/hash.ts";
import type { CheckpointRole, JudgedCheckpoints } from "./conditions.ts";
import { noteGroups, PLAIN_VARIANT, type ScenarioGroups, withGroups } from "./scenario-groups.ts";

export interface RolloutPairsOptions {
  /** The scenarios to take, as the filter left them. */
  readonly kept: readonly string[];
  /** The variant to take. Default `base+distractor`. */
  readonly trigger?: string | undefined;
  /** The variant whose prompt is the scenario's request, where rollouts have no group. Default `base`. */
  readonly plain?: string | undefined;
  /** Pairs of one scenario (of `drift`: and variant), at most. Default: one for each showing rollout. */
  readonly maxPairs?: number | undefined;
  /**
   * Pairs showing rollouts of M1 with each of M1's own to the same prompt that does not show, instead of with M0's. Default false. The sum
   * over a prompt's pairs of after minus before is that over its n rollouts of n · (verdict − the prompt's mean verdict) · rollout: the
   * contrastive query of EleutherAI's data attribution. With verdicts 1, 1, 0: 2 · (1, 1, −2)/2 = (1, 1, −2), as 3 · (1/3, 1/3, −2/3).
   */
  readonly contrast?: boolean | undefined;
  /** Whether `drift` is wanted too. Default false. */
  readonly withDrift?: boolean | undefined;
}

type RolloutSource = Iterable<RolloutWithPrompt> | AsyncIterable<RolloutWithPrompt>;
/** By scenario and variant. */
type Rollouts = ReadonlyMap<string, readonly RolloutWithPrompt[]>;
type Labelled = { readonly [L in Label]: Rollouts };

/** What is made of the rollouts of both checkpoints. A pair has the tags of its rollouts and the group of its scenario. */
export interface PairedRollouts {
  /** M1 rollouts that show the behaviour (after) with rollouts to the same prompt that do not (before): M0's, or M1's where `contrast` says so. */
  readonly pairs: readonly ResponsePair[];
  /**
   * M1 rollouts (after) with M0 rollouts (before) of which neither shows the behaviour, in every scenario and variant: what else training
   * changed. A behaviour made of them is a second null for a ranking, an unrelated one that needs no further data. What M1 drifts by
   * may lean towards the behaviour all the same, so holding a ranking to it can take a claim away and never adds one. Empty where it
   * was not asked for.
   */
  readonly drift: readonly ResponsePair[];
  /** The groups of the scenarios of all rollouts. */
  readonly groups: ScenarioGroups;
}

/**
 * Pairs rollouts of both checkpoints, each read once, in the order of their samples; where M0 has fewer, they are used again. Empty and
 * identical responses are left out. Throws FormatError where the two checkpoints were given different prompts for a scenario, or the
 * verdicts are of other rollouts.
 */
export async function pairRollouts(
  rollouts: { readonly [C in CheckpointRole]: RolloutSource },
  judged: JudgedCheckpoints,
  options: RolloutPairsOptions,
): Promise<PairedRollouts> {
  const { kept, trigger = "base+distractor", maxPairs = Infinity } = options;
  const { plain = PLAIN_VARIANT, withDrift = false, contrast = false } = options;
  const groups = new Map<string, string>();
  const order = new Map(kept.map((scenario, i) => [scenario, i]));
  const take = (role: CheckpointRole, label: Label): Promise<Labelled> =>
    collect(noteGroups(rollouts[role], plain, groups), judged[role], role, (verdict) => {
      const isKept = verdict.variant === trigger && order.has(verdict.scenario);
      if (verdict.label === "not" && withDrift) return true;
      return isKept && (verdict.label === label || (role === "after" && contrast));
    });
  const before = await take("before", "not");
  const after = await take("after", "shows");
  const join = (ends: Rollouts): ResponsePair[] =>
    [...ends].flatMap(([key, each]) => joinSamples(before.not.get(key) ?? [], each, maxPairs));
  const shown = contrast
    ? [...after.shows].flatMap(([key, ends]) =>
        crossSamples(after.not.get(key) ?? [], ends, maxPairs),
      )
    : join(after.shows);
  const pairs = shown.toSorted(
    (a, b) => order.get(a.scenario)! - order.get(b.scenario)!, // kept ones only
  );
  const drift = join(after.not);
  return { pairs: withGroups(pairs, groups), drift: withGroups(drift, groups), groups };
}

const conditionKey = ({ scenario, variant }: RolloutWithPrompt): string =>
  JSON.stringify([scenario, variant]);

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

/** Pairs every rollout of one prompt with every other. */
function crossSamples(
  starts: readonly RolloutWithPrompt[],
  ends: readonly RolloutWithPrompt[],
  maxPairs: number,
): ResponsePair[] {
  const all = ends.flatMap((end) =>
    starts
      .filter((start) => start.response.trim() !== end.response.trim())
      .map((start) => toPair(start, end)),
  );
  return all.slice(0, maxPairs);
}

/** The rollouts whose verdict is wanted, by label, then by scenario and variant, in the order of their samples. */
async function collect(
  rollouts: RolloutSource,
  verdicts: readonly Verdict[],
  role: CheckpointRole,
  isWanted: (verdict: GivenVerdict) => boolean,
): Promise<Labelled> {
  const wanted = new Map(
    verdicts.flatMap((each) => (isMissing(each) || !isWanted(each) ? [] : [[each.rollout, each]])),
  );
  const seen = new Set<string>();
  const found = {
    shows: new Map<string, RolloutWithPrompt[]>(),
    not: new Map<string, RolloutWithPrompt[]>(),
  };
  for await (const rollout of rollouts) {
    const verdict = wanted.get(rollout.id);
    if (verdict === undefined) continue;
    expectJudged(rollout, verdict, role);
    seen.add(rollout.id);
    if (rollout.response.trim() === "") continue;
    const key = conditionKey(rollout);
    const list = found[verdict.label].get(key) ?? [];
    found[verdict.label].set(key, list);
    list.push(rollout);
  }
  expectAll([...wanted.keys()], seen, role);
  for (const lists of [found.shows, found.not]) {
    for (const list of lists.values()) list.sort((a, b) => a.sample - b.sample);
  }
  return found;
}

const HINT = "Give the rollouts that the verdicts were made from.";

function expectAll(ids: readonly string[], seen: ReadonlySet<string>, role: CheckpointRole): void {
  const absent = ids.filter((id) => !seen.has(id));
  const [first] = absent;
  if (first === undefined) return;
  throw new FormatError(
    `rollouts of the checkpoint ${role}: expected those that were judged, got none for ${absent.length} of ${ids.length} verdicts, ${JSON.stringify(first.slice(0, 80))} among them`,
    { hint: HINT },
  );
}

function expectJudged(
  rollout: RolloutWithPrompt,
  { content }: Verdict,
  role: CheckpointRole,
): void {
  if (content === undefined || content === rolloutContent(rollout)) return;
  throw new FormatError(
    `rollouts of the checkpoint ${role}: expected those that were judged, got another text for ${JSON.stringify(rollout.id.slice(0, 80))}`,
    { hint: HINT },
  );
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
    tags: givenTags(new Set([...(start.tags ?? []), ...(end.tags ?? [])])),
  };
}
