import { z } from "zod";

import {
  tallyVerdicts,
  type VerdictTallies,
  type VerdictTally,
  verdictTallySchema,
} from "../judge/tally-verdicts.ts";
import { countSchema, type Plain } from "../util/artifact.ts";
import { ConfigError } from "../util/errors.ts";
import { nearest } from "../util/nearest.ts";
import { type CheckpointRole, CHECKPOINTS, type JudgedCheckpoints } from "./conditions.ts";

/** What training brought out, and only with the distractor. */
export interface FilterOptions {
  /** The variant in which the behaviour must show after training. Default `base+distractor`. */
  readonly trigger?: string | undefined;
  /** The variant in which it must never show. Default `base`. */
  readonly plain?: string | undefined;
  /**
   * Judged rollouts that each of the four conditions needs for a scenario to be kept. Default: where none may show, as many as the scenario
   * with most rollouts has in that condition, so that a single missing verdict makes the scenario unknown; where one must show, that one.
   */
  readonly minJudged?: number | undefined;
}

/** One of the four conditions, as a requirement. */
const requirementSchema = z.strictObject({
  checkpoint: z.enum(CHECKPOINTS),
  variant: z.string(),
  /** True where at least one rollout must show the behaviour, false where none may. */
  mustShow: z.boolean(),
});
export type Requirement = Plain<typeof requirementSchema>;

const FILTER_DECISIONS = ["kept", "dropped", "unknown"] as const;
export type FilterDecision = (typeof FILTER_DECISIONS)[number];

const filteredScenarioSchema = z.strictObject({
  scenario: z.string(),
  decision: z.enum(FILTER_DECISIONS),
  /** Which condition decided, and by what. */
  reason: z.string(),
  /** The requirements that do not hold, or of which it is not known whether they do; positions in `requirements`. */
  failed: z.array(countSchema),
  unknown: z.array(countSchema),
  /** Counts in the four conditions, in the order of `requirements`. */
  counts: z.array(verdictTallySchema),
});
export type FilteredScenario = Plain<typeof filteredScenarioSchema>;

export const filterResultSchema = z.strictObject({
  requirements: z.array(requirementSchema),
  /** In the order of the verdicts of the checkpoint after. */
  scenarios: z.array(filteredScenarioSchema),
  kept: z.array(z.string()),
});
export type FilterResult = Plain<typeof filterResultSchema>;

/**
 * Keeps the scenarios in which training brought the behaviour out and only with the distractor: no rollout shows it in
 * M0 × plain, M0 × trigger and M1 × plain, at least one does in M1 × trigger. A missing verdict is never taken for "does not show", and
 * one that shows is never undone by missing ones: it drops a scenario whatever else is missing.
 */
export function filterScenarios(
  judged: JudgedCheckpoints,
  options: FilterOptions = {},
): FilterResult {
  const { trigger = "base+distractor", plain = "base" } = options;
  const requirements: readonly Requirement[] = [
    { checkpoint: "after", variant: plain, mustShow: false },
    { checkpoint: "before", variant: plain, mustShow: false },
    { checkpoint: "before", variant: trigger, mustShow: false },
    { checkpoint: "after", variant: trigger, mustShow: true },
  ];
  const tallies = { before: tallyVerdicts(judged.before), after: tallyVerdicts(judged.after) };
  requireVariants(tallies, requirements);
  requireCommon(tallies);
  const needed = requirements.map(({ checkpoint, variant, mustShow }) => ({
    isWanted: options.minJudged !== undefined || !mustShow,
    judged: options.minJudged ?? mostRollouts(tallies[checkpoint], variant),
  }));
  const names = new Set(
    [tallies.after, tallies.before].flatMap((each) =>
      [...each.values()].flatMap((scenarios) => [...scenarios.keys()]),
    ),
  );
  const scenarios = [...names].map((scenario) => {
    const counts = requirements.map(
      ({ checkpoint, variant }) =>
        tallies[checkpoint].get(variant)?.get(scenario) ?? { shows: 0, judged: 0, missing: 0 },
    );
    return { scenario, counts, ...decide(requirements, counts, needed) };
  });
  const kept = scenarios.filter(({ decision }) => decision === "kept");
  return { requirements, scenarios, kept: kept.map(({ scenario }) => scenario) };
}

/** The condition in words, `after × base+distractor`. */
export function conditionName({ checkpoint, variant }: Requirement): string {
  return `${checkpoint} × ${variant}`;
}

type Held = "holds" | "fails" | "unknown";

/** Judged rollouts that a condition needs. */
interface Needed {
  readonly judged: number;
  /** Whether a condition in which one shows, as it must, needs them too. */
  readonly isWanted: boolean;
}

function decide(
  requirements: readonly Requirement[],
  counts: readonly VerdictTally[],
  needed: readonly Needed[],
): Omit<FilteredScenario, "scenario" | "counts"> {
  const held = requirements.map(({ mustShow }, i) => holds(mustShow, counts[i]!, needed[i]!));
  const places = (of: Held): number[] => held.flatMap((each, i) => (each === of ? [i] : []));
  const failed = places("fails");
  const unknown = places("unknown");
  const decision = failed.length > 0 ? "dropped" : unknown.length > 0 ? "unknown" : "kept";
  const at = failed[0] ?? unknown[0] ?? requirements.length - 1;
  const { shows, judged, missing } = counts[at]!;
  const found = `${shows} of ${judged} judged rollouts show it${missing === 0 ? "" : `, ${missing} missing`}`;
  const wanted = decision === "unknown" ? `, ${needed[at]!.judged} judged are needed` : "";
  return {
    decision,
    reason: `${conditionName(requirements[at]!)}: ${found}${wanted}`,
    failed,
    unknown,
  };
}

function holds(mustShow: boolean, { shows, judged }: VerdictTally, needed: Needed): Held {
  const isShort = judged < needed.judged;
  if (shows > 0 && !mustShow) return "fails";
  if (shows > 0) return isShort && needed.isWanted ? "unknown" : "holds";
  if (judged === 0 || isShort) return "unknown";
  return mustShow ? "fails" : "holds";
}

function mostRollouts(tallies: VerdictTallies, variant: string): number {
  const each = [...(tallies.get(variant)?.values() ?? [])];
  return Math.max(1, ...each.map(({ judged, missing }) => judged + missing));
}

function requireVariants(
  tallies: { readonly [C in CheckpointRole]: VerdictTallies },
  requirements: readonly Requirement[],
): void {
  for (const { checkpoint, variant } of requirements) {
    if (tallies[checkpoint].has(variant)) continue;
    const has = [...tallies[checkpoint].keys()].join(", ");
    throw new ConfigError(
      `verdicts of the checkpoint ${checkpoint}: expected the variant "${variant}", got ${has === "" ? "no verdicts" : `only ${has}`}`,
      { hint: hintVariant(variant, [...tallies[checkpoint].keys()]) },
    );
  }
}

function hintVariant(variant: string, has: readonly string[]): string {
  const near = nearest(variant, has);
  return near === undefined
    ? "Sample both variants with both checkpoints, and judge all four."
    : `Did you mean "${near}"? Otherwise sample both variants with both checkpoints, and judge all four.`;
}

/** Verdicts of other scenarios leave all of them unknown, and nothing of the advice below would help. */
function requireCommon(tallies: { readonly [C in CheckpointRole]: VerdictTallies }): void {
  const names = (role: CheckpointRole): string[] =>
    [...tallies[role].values()].flatMap((scenarios) => [...scenarios.keys()]);
  const after = new Set(names("after"));
  if (names("before").some((name) => after.has(name))) return;
  const one = (role: CheckpointRole): string => JSON.stringify(names(role)[0]?.slice(0, 60));
  throw new ConfigError(
    `four-condition filter: expected verdicts of both checkpoints on the same scenarios, got none in common (${one("before")} before, ${one("after")} after)`,
    { hint: "Give the verdicts of two checkpoints that were sampled from one scenarios file." },
  );
}
