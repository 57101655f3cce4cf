/** @file What `culprit scenarios` prints of the scenarios that it made. */
import type { ComposedScenarios } from "../../rollouts/compose-scenarios.ts";
import { type Constraint, constraintFamily } from "../../rollouts/constraints.ts";
import type { Scenario } from "../../rollouts/scenarios.ts";
import type { ScenarioSplit } from "../../rollouts/split-scenarios.ts";
import { type Lines, linesOf, printable, tableOf } from "../../util/text-table.ts";

/** Scenarios, and where they come from. */
export interface MadeScenarios {
  readonly scenarios: readonly Scenario[];
  readonly composed: (ComposedScenarios & { readonly pool: readonly Constraint[] }) | undefined;
  /** Rows of the input that gave no base prompt, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
}

/** Counts, as the JSON output has them. */
export interface ScenariosSummary {
  readonly scenarios: number;
  /** Different base prompts, those merged, and rows that gave none; absent where a file is split. */
  readonly composition?:
    | {
        readonly bases: number;
        readonly duplicates: number;
        readonly skipped: Readonly<Record<string, number>>;
        readonly constraints: Readonly<Record<string, number>>;
        readonly families: Readonly<Record<string, FamilyUse>>;
      }
    | undefined;
  readonly probe?: HalfSize | undefined;
  readonly evaluation?: HalfSize | undefined;
}

interface FamilyUse {
  /** In the pool. */
  readonly constraints: number;
  readonly scenarios: number;
}

type HalfSize = Record<keyof ScenarioSplit["probe"], number>;

/** Counts scenarios, base prompts, constraints and families. */
export function summariseScenarios({
  scenarios,
  composed,
  skipped,
  split,
}: MadeScenarios & { readonly split: ScenarioSplit | undefined }): ScenariosSummary {
  const size = ({ bases, scenarios: some }: ScenarioSplit["probe"]): HalfSize => ({
    bases,
    scenarios: some.length,
  });
  return {
    scenarios: scenarios.length,
    composition: composed && {
      bases: composed.bases,
      duplicates: composed.duplicates,
      skipped,
      constraints: composed.uses,
      families: familyUses(composed),
    },
    ...(split && { probe: size(split.probe), evaluation: size(split.evaluation) }),
  };
}

function familyUses({
  pool,
  uses,
}: NonNullable<MadeScenarios["composed"]>): Record<string, FamilyUse> {
  const families = new Map<string, FamilyUse>();
  for (const constraint of pool) {
    const family = constraintFamily(constraint);
    const { constraints, scenarios } = families.get(family) ?? { constraints: 0, scenarios: 0 };
    families.set(family, {
      constraints: constraints + 1,
      scenarios: scenarios + uses[constraint.id]!,
    });
  }
  return Object.fromEntries(families);
}

/** The lines for people. */
export function formatScenarios({
  scenarios,
  composition,
  probe,
  evaluation,
}: ScenariosSummary): readonly string[] {
  const half = (name: string, size: HalfSize | undefined): Lines =>
    size && `${name}: ${size.scenarios} scenarios of ${size.bases} base prompts`;
  return linesOf([
    composition === undefined
      ? `${scenarios} scenarios`
      : formatComposition(scenarios, composition),
    composition && probe && "",
    half("probe", probe),
    half("evaluation", evaluation),
    sameRequestLine(composition?.bases, probe, evaluation),
  ]);
}

/** The halves count base prompts that differ in punctuation alone as one, since these must not be in both. */
function sameRequestLine(
  bases: number | undefined,
  probe: HalfSize | undefined,
  evaluation: HalfSize | undefined,
): Lines {
  if (bases === undefined || probe === undefined || evaluation === undefined) return undefined;
  const same = bases - probe.bases - evaluation.bases;
  const differ = same === 1 ? "prompt differs" : "prompts differ";
  return (
    same > 0 &&
    `${same} base ${differ} from another in punctuation alone: one request, counted once and kept in one half`
  );
}

function formatComposition(
  scenarios: number,
  { bases, duplicates, skipped, families }: NonNullable<ScenariosSummary["composition"]>,
): readonly string[] {
  return [
    `${scenarios} scenarios of ${bases} base prompts${duplicates === 0 ? "" : `, ${duplicates} repeated ones merged`}`,
    ...Object.entries(skipped).map(([reason, count]) => `${count} rows skipped: ${reason}`),
    "",
    ...tableOf(Object.entries(families), [
      ["family", ([name]) => printable(name)],
      ["constraints", ([, { constraints }]) => constraints],
      ["scenarios", ([, use]) => use.scenarios],
    ]),
  ];
}
