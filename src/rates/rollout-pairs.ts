import type { Message } from "../format/messages.ts";
import { rolloutContent, type RolloutWithPrompt } from "../judge/judge.ts";
import { isMissing, type Verdict } from "../judge/verdict.ts";
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
  /** Whether `drift` is wanted too. Default false. */
  readonly withDrift?: boolean | undefined;
}

type Rollouts = Iterable<RolloutWithPrompt> | AsyncIterable<RolloutWithPrompt>;
type Labelled = ReadonlyMap<string, readonly RolloutWithPrompt[]>;

/** What is made of the rollouts of both checkpoints. A pair has the tags of its rollouts and the group of its scenario. */
export interface PairedRollouts {
  /** M1 rollouts that show the behaviour (after) with M0 rollouts to the same prompt that do not (before). */
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
  rollouts: { readonly [C in CheckpointRole]: Rollouts },
  judged: JudgedCheckpoints,
  options: RolloutPairsOptions,
): Promise<PairedRollouts> {
  const { kept, trigger = "base+distractor", maxPairs = Infinity } = options;
  const { plain = PLAIN_VARIANT, withDrift = false } = options;
  const groups = new Map<string, string>();
  const wanted = new Set(kept);
  const isKept = ({ scenario, variant }: Place): boolean =>
    variant === trigger && wanted.has(scenario);
  const take = (role: CheckpointRole, wants: readonly Wanted[]): Promise<readonly Labelled[]> =>
    collect(noteGroups(rollouts[role], plain, groups), judged[role], role, wants);
  const all: Wanted = { label: "not", isWanted: () => true };
  const [before, plainBefore] = await take("before", [
    { label: "not", isWanted: isKept },
    ...(withDrift ? [all] : []),
  ]);
  const [after, plainAfter] = await take("after", [
    { label: "shows", isWanted: isKept },
    ...(withDrift ? [all] : []),
  ]);
  const join = (starts: Labelled = new Map(), ends: Labelled = new Map()): ResponsePair[] =>
    [...ends].flatMap(([key, each]) => joinSamples(starts.get(key) ?? [], each, maxPairs));
  const order = new Map(kept.map((scenario, i) => [scenario, i]));
  const pairs = join(before, after).toSorted(
    (a, b) => order.get(a.scenario)! - order.get(b.scenario)!, // wanted ones only
  );
  const drift = join(plainBefore, plainAfter);
  return { pairs: withGroups(pairs, groups), drift: withGroups(drift, groups), groups };
}

const conditionKey = ({ scenario, variant }: Place): string => JSON.stringify([scenario, variant]);

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

/** Where a rollout and its verdict stand. */
type Place = Pick<Verdict, "scenario" | "variant">;

interface Wanted {
  readonly label: "shows" | "not";
  readonly isWanted: (place: Place) => boolean;
}

/** The rollouts of each kind that is wanted, by scenario and variant, in the order of their samples. */
async function collect(
  rollouts: Rollouts,
  verdicts: readonly Verdict[],
  role: CheckpointRole,
  wants: readonly Wanted[],
): Promise<readonly Labelled[]> {
  const kinds = wants.map((wanted) => ({
    verdicts: labelled(verdicts, wanted),
    found: new Map<string, RolloutWithPrompt[]>(),
  }));
  const seen = new Set<string>();
  for await (const rollout of rollouts) {
    for (const kind of kinds) {
      const verdict = kind.verdicts.get(rollout.id);
      if (verdict === undefined) continue;
      expectJudged(rollout, verdict, role);
      seen.add(rollout.id);
      if (rollout.response.trim() === "") continue;
      const key = conditionKey(rollout);
      const list = kind.found.get(key);
      if (list === undefined) kind.found.set(key, [rollout]);
      else list.push(rollout);
    }
  }
  return kinds.map((kind) => {
    expectAll([...kind.verdicts.keys()], seen, role);
    for (const list of kind.found.values()) list.sort((a, b) => a.sample - b.sample);
    return kind.found;
  });
}

function labelled(
  verdicts: readonly Verdict[],
  { label, isWanted }: Wanted,
): ReadonlyMap<string, Verdict> {
  const own = verdicts.filter((each) => !isMissing(each) && each.label === label && isWanted(each));
  return new Map(own.map((each) => [each.rollout, each]));
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
