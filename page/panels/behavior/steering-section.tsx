import type { ReactNode } from "react";

import type { PartValues } from "../../../src/report/report-source.ts";
import { Table } from "../../components.tsx";
import { number, points, pValue } from "../../format.ts";
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
            steeredToUnsteered === undefined
              ? "–"
              : `${points(steeredToUnsteered.difference)} (${pValue(steeredToUnsteered.adjustedP)})`,
            steeredToRandom === undefined
              ? "–"
              : `${points(steeredToRandom.difference)} (${pValue(steeredToRandom.adjustedP)})`,
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
