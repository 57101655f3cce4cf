import type {
  AdjustedComparison,
  ArmMeasure,
  ArmRate,
  Evaluation,
  VariantRates,
} from "../../rates/evaluation.ts";
import type { ClusteredRate } from "../../stats/clustered-rate.ts";
import {
  countPrompts,
  percent,
  points,
  pValue,
  wholePercent,
  withInterval,
} from "../../util/figures.ts";
import { printable, textTable } from "../../util/text-table.ts";

const P_DECIMALS = 4;

/** What `culprit evaluate` prints. */
export function formatEvaluation(evaluation: Evaluation): string {
  const { variants, measures, notes } = evaluation;
  return [
    ...variants.flatMap((variant, i) => [
      ...(i === 0 ? [] : [""]),
      ...variantSection(variant, evaluation),
    ]),
    ...(measures.length === 0 ? [] : ["", ...measureSection(measures, evaluation.baseline)]),
    ...(notes.length === 0 ? [] : [""]),
    ...notes,
  ].join("\n");
}

/** A rate with its interval, in percent. */
export function formatRate({
  rate,
  low,
  high,
}: Pick<ClusteredRate, "rate" | "low" | "high">): string {
  if (rate === undefined) return "nothing judged";
  return `${percent(rate)} [${percent(low)}, ${percent(high)}]`;
}

function variantSection(variant: VariantRates, { baseline, controls }: Evaluation): string[] {
  const { arms, scenarios, prompts } = variant;
  return [
    ...textTable([
      [
        `${printable(variant.variant)}, ${countPrompts(scenarios, prompts)}`,
        "seeds",
        "judged",
        "missing",
        "rate [95%]",
        "by seed",
        `minus ${printable(baseline)} [95%]`,
        "p (Holm)",
        "reduction [95%]",
      ],
      ...arms.map((row) => [
        printable(row.arm),
        `${row.rate.seeds}`,
        `${row.rate.judged}`,
        `${row.missing}`,
        formatRate(row.rate),
        seedRange(row),
        ...comparisonCells(row.toBaseline),
      ]),
    ]),
    ...controls.flatMap((control) => controlSection(arms, control)),
  ];
}

function controlSection(arms: readonly ArmRate[], control: string): string[] {
  const rows = arms.flatMap((row) => {
    const found = row.toControls.find(({ against }) => against === control);
    return found === undefined ? [] : [[printable(row.arm), ...comparisonCells(found)]];
  });
  if (rows.length === 0) return [];
  return [
    "",
    ...textTable([
      ["against a random edit", `minus ${printable(control)} [95%]`, "p (Holm)", "reduction [95%]"],
      ...rows,
    ]),
  ];
}

function comparisonCells(comparison: AdjustedComparison | undefined): string[] {
  if (comparison === undefined) return ["-", "-", "-"];
  const { difference, low, high, adjustedP, reduction } = comparison;
  return [
    `${points(difference)} [${points(low)}, ${points(high)}]`,
    pValue(adjustedP, P_DECIMALS),
    reduction === undefined
      ? "nothing to reduce"
      : reduction.high < 0
        ? "a rise"
        : `${wholePercent(reduction.value)} [${wholePercent(reduction.low)}, ${wholePercent(reduction.high)}]`,
  ];
}

function measureSection(measures: readonly ArmMeasure[], baseline: string): string[] {
  return textTable([
    [
      "beside the behaviour",
      "arm",
      "items",
      "seeds",
      "mean [95%]",
      `minus ${printable(baseline)} [95%]`,
      "p",
    ],
    ...measures.map(({ measure, arm, summary, toBaseline }) => [
      printable(measure),
      printable(arm),
      summary === undefined ? "-" : `${summary.items}`,
      summary === undefined ? "-" : `${summary.seeds}`,
      summary === undefined
        ? "-"
        : withInterval([summary.mean, summary.low, summary.high], decimal),
      toBaseline === undefined
        ? "-"
        : withInterval([toBaseline.difference, toBaseline.low, toBaseline.high], decimal),
      toBaseline?.p === undefined ? "-" : pValue(toBaseline.p, P_DECIMALS),
    ]),
  ]);
}

function seedRange({ bySeed }: ArmRate): string {
  const rates = bySeed.flatMap(({ rate }) => rate ?? []);
  if (rates.length === 0) return "-";
  const low = percent(Math.min(...rates));
  return rates.length === 1 ? low : `${low} to ${percent(Math.max(...rates))}`;
}

const decimal = (value: number): string => value.toFixed(4);
