import type { ReactNode } from "react";

import type { PartValues } from "../../../src/report/report-source.ts";
import { Figure, Table } from "../../components.tsx";
import { interval, number, points, pValue } from "../../format.ts";
import { Term } from "../../glossary.tsx";

type Steering = NonNullable<NonNullable<PartValues["overview"]["result"]>["steering"]>[number];

/** What adding or projecting out the direction does, beside random directions. */
export function SteeringSection({ report }: { readonly report: Steering }): ReactNode {
  return (
    <>
      <p>
        <Term of="steering" /> changes the activations along the behaviour's direction while the
        model answers. Only an effect larger than that of a <Term of="random direction" /> speaks
        for it.
      </p>
      <Table
        caption="Steering by layer and variant"
        head={["Layer", "Variant", "Verdict", "Against unsteered", "Against random", "In words"]}
        rows={report.layers.flatMap(({ layer, at, effects, steered }) =>
          effects.map(({ variant, verdict, steeredToUnsteered, steeredToRandom, sentence }) => [
            `${layer ?? at.join(", ")}${steered?.strength === undefined ? "" : ` (strength ${number(steered.strength, 1)})`}`,
            variant,
            verdict,
            <Compared key="u" of={steeredToUnsteered} />,
            <Compared key="r" of={steeredToRandom} />,
            sentence,
          ]),
        )}
      />
      {report.notes.map((note) => (
        <p key={note}>{note}</p>
      ))}
    </>
  );
}

type Compared = Steering["layers"][number]["effects"][number]["steeredToUnsteered"];

/** A difference of rates in percentage points. */
function Compared({ of }: { readonly of: Compared }): ReactNode {
  if (of === undefined) return "–";
  const { difference, low, high, adjustedP, prompts } = of;
  return (
    <Figure tells={`95% ${interval(low, high, points)}, n ${prompts} prompts`}>
      {points(difference)} ({pValue(adjustedP)})
    </Figure>
  );
}
