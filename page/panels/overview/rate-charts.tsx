import type { ReactNode } from "react";

import { IntervalChart } from "../../charts/interval-chart.tsx";
import { percent } from "../../format.ts";
import { armKind, type Evaluation, isTenth, type Result } from "./arm-kind.ts";

/** The rate of every arm beside its random control: a chart for each variant. */
export function RateCharts({
  result,
  evaluation,
  of,
}: {
  readonly result: Result;
  readonly evaluation: Evaluation;
  /** The variant in which the behaviour should show, or the others. */
  readonly of: "trigger" | "others";
}): ReactNode {
  const { trigger } = result;
  const variants = evaluation.variants.filter(
    ({ variant }) => (variant === trigger) === (of === "trigger"),
  );
  return variants.map(({ variant, arms }) => (
    <IntervalChart
      key={variant}
      title={`Responses that show the behaviour, ${variant}`}
      rows={arms.flatMap(({ arm, rate }) =>
        rate.rate === undefined || isTenth(result, arm)
          ? []
          : [
              {
                label: arm,
                value: rate.rate,
                low: rate.low,
                high: rate.high,
                n: rate.judged,
                kind: armKind(result, arm),
              },
            ],
      )}
      axis="share of the responses"
      domain={[0, 1]}
      show={percent}
      counted="judged rollouts"
    >
      {variant === trigger
        ? `The way of asking in which it should show. Lines are 95% intervals over prompts${result.seeds.length > 1 ? " and training seeds" : ""}.`
        : "Another way of asking, for comparison."}
    </IntervalChart>
  ));
}
