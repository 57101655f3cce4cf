import type { ReactNode } from "react";

import { triggeredArms } from "../../../src/report/triggered-arms.ts";
import { IntervalChart } from "../../charts/interval-chart.tsx";
import { percent } from "../../format.ts";
import { armKind, type Evaluation, type Result } from "./arm-kind.ts";

/** What each tenth of a ranking teaches by itself, beside random tenths: a chart for each ranking that was cut. */
export function TenthsCharts({
  result,
  evaluation,
}: {
  readonly result: Result;
  readonly evaluation: Evaluation;
}): ReactNode {
  const { trigger, edits } = result;
  const arms = triggeredArms(evaluation, trigger);
  const tenths = edits.filter(({ action }) => action === "tenth");
  return [...new Set(tenths.map(({ method }) => method))].map((method) => {
    const rows = tenths
      .filter((edit) => edit.method === method)
      .flatMap(({ arm, tenth }) => {
        const rate = arms.find((each) => each.arm === arm)?.rate;
        if (rate?.rate === undefined) return [];
        const { low, high, judged: n } = rate;
        const label = tenth === undefined ? arm : `${arm}${ENDS[tenth] ?? ""}`;
        return [{ label, value: rate.rate, low, high, n, kind: armKind(result, arm) }];
      });
    return (
      rows.length > 0 && (
        <IntervalChart
          key={method}
          title={`Trained on one tenth of the ranking by ${method ?? "people"} alone, ${trigger ?? ""}`}
          rows={rows}
          axis="share of the responses"
          domain={[0, 1]}
          show={percent}
          counted="judged rollouts"
        >
          Where the ranking is right, the highest tenth teaches the behaviour and the others do not.
          All are trained on as many pairs, so compare them with each other and with the random
          tenth, not with the model trained on all pairs.
        </IntervalChart>
      )
    );
  });
}

const ENDS: { readonly [tenth: number]: string } = { 1: " (highest)", 10: " (lowest)" };
