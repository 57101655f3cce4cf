import { missingCauses, tallyVerdicts, type VerdictTallies } from "../judge/tally-verdicts.ts";
import { isMissing } from "../judge/verdict.ts";
import { clusterBootstrap } from "../stats/cluster-bootstrap.ts";
import { clusteredRate } from "../stats/clustered-rate.ts";
import { holm } from "../stats/holm.ts";
import { ConfigError } from "../util/errors.ts";
import { createRng } from "../util/rng.ts";
import { compareMeasure, type MeasureValues, summariseMeasure } from "./compare-measures.ts";
import type {
  AdjustedComparison,
  Arm,
  ArmMeasure,
  ArmRun,
  EvaluateOptions,
  Evaluation,
  VariantRates,
} from "./evaluation.ts";
import {
  compareCells,
  groupedCells,
  judgedScenarios,
  type ScenarioCells,
  scenariosOf,
  tallyCells,
} from "./scenario-cells.ts";
import { groupScenarios, type ScenarioGroups, scenarioGroups } from "./scenario-groups.ts";

/**
 * Rates of a behaviour for several arms and training seeds, each with its interval, against the baseline and against the random
 * controls. Throws ConfigError where a named arm or variant does not exist, an arm occurs twice or has no run, or shares no judged prompt
 * with the baseline in any variant; where that is so in one variant, a note says so.
 */
export function evaluateArms(arms: readonly Arm[], options: EvaluateOptions): Evaluation {
  const { baseline, controls = [] } = options;
  checkArms(arms, [baseline, ...controls]);
  const tallied = arms.map(({ name, runs }) => ({
    name,
    runs: runs.map((run) => ({ ...run, tallies: tallyVerdicts(run.verdicts) })),
  }));
  const groups = scenarioGroups(arms.flatMap(({ runs }) => runs.flatMap((run) => run.verdicts)));
  const variants = chooseVariants(tallied, options.variants).map((variant) =>
    evaluateVariant(tallied, { variant, groups }, options),
  );
  requireComparisons(variants, baseline);
  const measures = evaluateMeasures(arms, baseline);
  return { baseline, controls, variants, measures, notes: listNotes(arms, variants, baseline) };
}

/** Throws ConfigError where an arm and the baseline were judged, but on no common prompt of any variant: they cannot be compared at all. */
function requireComparisons(variants: readonly VariantRates[], baseline: string): void {
  const names = variants[0]?.arms.map(({ arm }) => arm) ?? [];
  for (const name of names) {
    if (name === baseline) continue;
    const found = variants.flatMap(({ arms }) => arms.filter(({ arm }) => arm === name));
    if (found.some(({ toBaseline }) => toBaseline !== undefined)) continue;
    // With nothing judged there is nothing to have in common; the tables show that.
    const hasJudged = (arm: string): boolean =>
      variants.some(({ arms }) => arms.some((each) => each.arm === arm && each.rate.judged > 0));
    if (!hasJudged(name) || !hasJudged(baseline)) continue;
    throw new ConfigError(
      `arm "${name}": expected judged rollouts of prompts that the baseline "${baseline}" has too, got none in common`,
      { hint: "Sample and judge every arm on the same scenarios file." },
    );
  }
}

interface TalliedArm {
  readonly name: string;
  readonly runs: readonly (ArmRun & { readonly tallies: VerdictTallies })[];
}

function checkArms(arms: readonly Arm[], named: readonly string[]): void {
  const names = arms.map(({ name }) => name);
  for (const name of named) {
    if (names.includes(name)) continue;
    throw new ConfigError(`arm "${name}": expected one of ${names.join(", ")}`);
  }
  for (const [i, { name, runs }] of arms.entries()) {
    if (names.indexOf(name) !== i) throw new ConfigError(`arm "${name}": occurs twice`);
    if (runs.length === 0) throw new ConfigError(`arm "${name}": expected runs, got none`);
    const seeds = runs.map(({ seed }) => seed);
    const twin = seeds.find((seed, at) => seeds.indexOf(seed) !== at);
    if (twin !== undefined) throw new ConfigError(`arm "${name}": seed ${twin} occurs twice`);
  }
}

function chooseVariants(
  arms: readonly TalliedArm[],
  asked: readonly string[] | undefined,
): readonly string[] {
  const found = new Set(
    arms.flatMap(({ runs }) => runs.flatMap(({ tallies }) => [...tallies.keys()])),
  );
  if (found.size === 0) throw new ConfigError("evaluate: expected verdicts, got none");
  for (const variant of asked ?? []) {
    if (found.has(variant)) continue;
    throw new ConfigError(`variant "${variant}": expected one of ${[...found].join(", ")}`);
  }
  return asked ?? [...found];
}

function evaluateVariant(
  arms: readonly TalliedArm[],
  { variant, groups }: { readonly variant: string; readonly groups: ScenarioGroups },
  { baseline, controls = [], replicates = 2000, seed = 0 }: EvaluateOptions,
): VariantRates {
  const all = arms.map(({ runs }) => runs.map(({ tallies }) => tallies));
  const scenarios = scenariosOf(all.flat(), variant);
  const cells = all.map((runs) => tallyCells(runs, variant, { scenarios, groups }));
  const cellsOf = (name: string): ScenarioCells =>
    cells[arms.findIndex((arm) => arm.name === name)]!;
  const compare = (against: string, without: readonly string[] = []) =>
    compareAll(arms, cells, { against, reference: cellsOf(against), without });
  const toBaseline = compare(baseline);
  const toControls = controls.map((against) => compare(against, [baseline, ...controls]));
  const bootstrap =
    replicates === 0
      ? undefined
      : clusterBootstrap([cellsOf(baseline), ...cells].map(groupedCells), {
          rng: createRng(seed),
          replicates,
        });
  return {
    variant,
    scenarios: scenarios.length,
    prompts: groupScenarios(scenarios, groups).labels.length,
    arms: arms.map(({ name, runs }, a) => {
      const verdicts = runs.flatMap((run) =>
        run.verdicts.filter((each) => each.variant === variant),
      );
      return {
        arm: name,
        rate: clusteredRate(groupedCells(cells[a]!)),
        scenarios: judgedScenarios(cells[a]!).length,
        bySeed: runs.map((run, s) => ({ seed: run.seed, rate: seedRate(cells[a]!, s) })),
        missing: verdicts.filter(isMissing).length,
        causes: missingCauses(verdicts),
        toBaseline: toBaseline.get(name),
        toControls: toControls.flatMap((found) => found.get(name) ?? []),
        bootstrap: bootstrap?.[a + 1],
      };
    }),
  };
}

function seedRate(
  { scenarios: { prompts, shows, judged } }: ScenarioCells,
  s: number,
): number | undefined {
  const sum = (values: Float64Array): number =>
    values.subarray(s * prompts, (s + 1) * prompts).reduce((total, value) => total + value, 0);
  const count = sum(judged);
  return count === 0 ? undefined : sum(shows) / count;
}

function compareAll(
  arms: readonly TalliedArm[],
  cells: readonly ScenarioCells[],
  to: {
    readonly against: string;
    readonly reference: ScenarioCells;
    readonly without: readonly string[];
  },
): ReadonlyMap<string, AdjustedComparison> {
  const found = arms.flatMap(({ name }, a) => {
    if (name === to.against || to.without.includes(name)) return [];
    const comparison = compareCells(cells[a]!, to.reference);
    return comparison === undefined ? [] : [{ name, comparison }];
  });
  const adjusted = holm(found.map(({ comparison }) => comparison.p));
  return new Map(
    found.map(({ name, comparison }, i) => [
      name,
      { against: to.against, ...comparison, adjustedP: adjusted[i]! },
    ]),
  );
}

function evaluateMeasures(arms: readonly Arm[], baseline: string): readonly ArmMeasure[] {
  const names = new Set(
    arms.flatMap(({ runs }) => runs.flatMap(({ measures }) => Object.keys(measures ?? {}))),
  );
  const valuesOf = ({ runs }: Arm, name: string): readonly MeasureValues[] =>
    runs.map(({ measures }) => measures?.[name]).filter((values) => values !== undefined);
  const reference = arms.find(({ name }) => name === baseline)!;
  return [...names].flatMap((measure) =>
    arms.map((arm) => ({
      arm: arm.name,
      measure,
      summary: summariseMeasure(valuesOf(arm, measure)),
      toBaseline:
        arm === reference
          ? undefined
          : compareMeasure(valuesOf(arm, measure), valuesOf(reference, measure)),
    })),
  );
}

function listNotes(
  arms: readonly Arm[],
  variants: readonly VariantRates[],
  baseline: string,
): readonly string[] {
  const single = arms.filter(({ runs }) => runs.length === 1).map(({ name }) => name);
  const several = arms.map(({ runs }) => runs.length).filter((count) => count > 1);
  const notes: string[] = [];
  if (single.length === arms.length) {
    notes.push(
      "Every arm has one training seed: intervals are over prompts only and do not say how another seed would do.",
    );
  } else if (single.length > 0) {
    notes.push(
      `One run only of ${single.join(", ")}: the interval is over prompts, not over training seeds.`,
    );
  }
  if (new Set(several).size > 1) notes.push("Arms differ in their number of training seeds.");
  for (const { variant, scenarios, prompts, arms: rates } of variants) {
    if (prompts < scenarios) {
      notes.push(
        `${variant}: ${scenarios} scenarios ask ${prompts} requests; those of one request hang together in every interval and count as one prompt.`,
      );
    }
    const fewest = Math.min(...rates.map((each) => each.scenarios));
    if (fewest < scenarios) {
      notes.push(
        `${variant}: not every arm has judged rollouts of all ${scenarios} scenarios (the fewest: ${fewest}); comparisons use those that both arms have.`,
      );
    }
    for (const { arm, toBaseline, rate } of rates) {
      if (arm === baseline || toBaseline !== undefined) continue;
      notes.push(
        `${variant}: ${arm} is NOT COMPARED with ${baseline}: no prompt has judged rollouts of both (${rate.prompts} prompts of ${arm}).`,
      );
    }
    const missing = rates.reduce((sum, each) => sum + each.missing, 0);
    if (missing > 0) notes.push(`${variant}: ${missing} verdicts are missing and in no rate.`);
  }
  return notes;
}
