import type {
  AdjustedComparison,
  ArmMeasure,
  ArmRate,
  Evaluation,
  VariantRates,
} from "../../rates/evaluation.ts";
import {
  countPrompts,
  fixed,
  formatRate,
  percent,
  points,
  pValue,
  wholePercent,
  withInterval,
} from "../../util/figures.ts";
import { type Column, printable, tableOf, textOf } from "../../util/text-table.ts";

const P_DECIMALS = 4;

/** What `culprit evaluate` prints. */
export function formatEvaluation(evaluation: Evaluation): string {
  const { variants, measures, notes } = evaluation;
  return textOf(
    variants.map((variant, i) => [i > 0 && "", variantSection(variant, evaluation)]),
    measures.length > 0 && ["", measureSection(measures, evaluation.baseline)],
    notes.length > 0 && ["", notes],
  );
}

function variantSection(variant: VariantRates, { baseline, controls }: Evaluation): string[] {
  const { arms, scenarios, prompts } = variant;
  const heading = `${printable(variant.variant)}, ${countPrompts(scenarios, prompts)}`;
  return [
    ...tableOf(arms, [
      [heading, ({ arm }) => printable(arm)],
      ["seeds", ({ rate }) => rate.seeds],
      ["judged", ({ rate }) => rate.judged],
      ["missing", ({ missing }) => missing],
      ["rate [95%]", ({ rate }) => formatRate(rate)],
      ["by seed", seedRange],
      ...comparisonColumns(baseline, ({ toBaseline }) => toBaseline),
    ]),
    ...controls.flatMap((control) => controlSection(arms, control)),
  ];
}

function controlSection(arms: readonly ArmRate[], control: string): string[] {
  const found = ({ toControls }: ArmRate): AdjustedComparison | undefined =>
    toControls.find(({ against }) => against === control);
  const compared = arms.filter((arm) => found(arm) !== undefined);
  if (compared.length === 0) return [];
  return [
    "",
    ...tableOf(compared, [
      ["against a random edit", ({ arm }) => printable(arm)],
      ...comparisonColumns(control, found),
    ]),
  ];
}

/** How arms compare with another one. */
function comparisonColumns(
  other: string,
  found: (arm: ArmRate) => AdjustedComparison | undefined,
): Column<ArmRate>[] {
  const column = (
    heading: string,
    cell: (comparison: AdjustedComparison) => string,
  ): Column<ArmRate> => [
    heading,
    (arm) => {
      const comparison = found(arm);
      return comparison && cell(comparison);
    },
  ];
  return [
    column(`minus ${printable(other)} [95%]`, (to) => withInterval(to.difference, to, points)),
    column("p (Holm)", ({ adjustedP }) => pValue(adjustedP, P_DECIMALS)),
    column("reduction [95%]", ({ reduction }) => {
      if (reduction === undefined) return "nothing to reduce";
      return reduction.high < 0 ? "a rise" : formatReduction(reduction);
    }),
  ];
}

/** In whole percent; the interval may have no lower end. */
export function formatReduction({
  value,
  low,
  high,
}: NonNullable<AdjustedComparison["reduction"]>): string {
  return `${wholePercent(value)} [${wholePercent(low)}, ${wholePercent(high)}]`;
}

function measureSection(measures: readonly ArmMeasure[], baseline: string): string[] {
  return tableOf(measures, [
    ["beside the behaviour", ({ measure }) => printable(measure)],
    ["arm", ({ arm }) => printable(arm)],
    ["items", ({ summary }) => summary?.items],
    ["seeds", ({ summary }) => summary?.seeds],
    ["mean [95%]", ({ summary }) => summary && withInterval(summary.mean, summary, fixed(4))],
    [
      `minus ${printable(baseline)} [95%]`,
      ({ toBaseline: to }) => to && withInterval(to.difference, to, fixed(4)),
    ],
    ["p", ({ toBaseline: to }) => (to?.p === undefined ? undefined : pValue(to.p, P_DECIMALS))],
  ]);
}

function seedRange({ bySeed }: ArmRate): string | undefined {
  const rates = bySeed.flatMap(({ rate }) => rate ?? []);
  if (rates.length === 0) return undefined;
  const low = percent(Math.min(...rates));
  return rates.length === 1 ? low : `${low} to ${percent(Math.max(...rates))}`;
}
