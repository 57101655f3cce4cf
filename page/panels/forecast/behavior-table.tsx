import type { ReactNode } from "react";

import type { PartValues } from "../../../src/report/report-source.ts";
import { Figure, Table } from "../../components.tsx";
import { count, interval } from "../../format.ts";
import { heldOutBy, signed, UNITS, verdictOf, withInterval } from "./shift-text.ts";

/** What came of every behaviour, largest observed shift first, beside what one forecast said. */
export function BehaviorTable({
  score,
  by,
  behaviors,
}: {
  readonly score: NonNullable<PartValues["forecast"]["score"]>;
  readonly by: string;
  readonly behaviors: PartValues["forecast"]["behaviors"];
}): ReactNode {
  const held = new Map(heldOutBy(score, by).map((each) => [each.name, each]));
  const doubtful = new Set(
    behaviors.filter(({ doubts }) => doubts.length > 0).map(({ name }) => name),
  );
  return (
    <Table
      caption={`Every behaviour, forecast by ${by}; ${UNITS[score.measure]}`}
      head={["Behaviour", "Observed [95%]", "Predicted [95%]", "Off by", "Sign"]}
      rows={score.behaviors.map(({ name, observed }) => {
        const own = held.get(name);
        const { shift, low, high, items, groups } = observed;
        return [
          doubtful.has(name) ? `${name} (not stable)` : name,
          <Figure
            key="f"
            tells={`95% ${interval(low, high, signed)}, n ${count(groups)} of ${count(items)} items`}
          >
            {withInterval({ value: shift, low, high }, signed)}
          </Figure>,
          ...(own === undefined
            ? ["calibrated", "–", "–"]
            : [
                <Figure
                  key="p"
                  tells={`95% ${interval(own.low, own.high, signed)}: so far off are 95% of those that calibrated it, n ${count(score.heldOut)} behaviours`}
                >
                  {withInterval({ ...own, value: own.predicted }, signed)}
                </Figure>,
                <Figure
                  key="o"
                  tells={`observed ${interval(low, high, signed)}, n ${count(groups)}`}
                >
                  {signed(shift - own.predicted)}
                </Figure>,
                own.isHit ? (
                  verdictOf(own)
                ) : (
                  <strong key="s" className="fault">
                    {verdictOf(own)}
                  </strong>
                ),
              ]),
        ];
      })}
    />
  );
}
