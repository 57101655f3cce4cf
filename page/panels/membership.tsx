import type { ReactNode } from "react";

import type { PartValues } from "../../src/report/report-source.ts";
import { tellIntervals } from "../../src/report/told-sentence.ts";
import { IntervalChart, type IntervalRow } from "../charts/interval-chart.tsx";
import { Figure, Nothing, Section, Table, Sentence } from "../components.tsx";
import { count, interval, number, percent } from "../format.ts";
import { Term } from "../glossary.tsx";
import { ChesChart } from "./membership/ches-chart.tsx";
import { definePanel } from "./panel.ts";

type Found = PartValues["membership"];
type Figures = Found["claimed"]["figures"];
type Estimate = Figures["accuracy"];

export const membershipPanel = definePanel({
  id: "membership",
  title: "Membership",
  parts: ["membership"],
  isListed: (overview) => overview?.stages.some(({ id }) => id === "membership") === true,
  View: ({ parts: { membership } }) => (
    <>
      <h1>Was the model after training trained on these pairs?</h1>
      {membership === undefined ? (
        <Nothing>Nobody asked, or it is not measured yet.</Nothing>
      ) : (
        <Belonging found={membership} />
      )}
    </>
  ),
});

/** The badge of each verdict, and the look that it has in common with the verdicts of the overview. */
const VERDICTS = {
  trained: ["Trained on them", "shown"],
  swapped: ["Trained on them the wrong way round", "unstable"],
  taste: ["Of the same taste", "unshown"],
  none: ["No sign of it", "unshown"],
  unclear: ["Can't tell", "ranked"],
} as const satisfies Record<Found["verdict"]["kind"], readonly [string, string]>;

function Belonging({ found }: { readonly found: Found }): ReactNode {
  const { verdict, remarks, claimed, heldOut } = found;
  const [badge, look] = VERDICTS[verdict.kind];
  return (
    <>
      <div className={`verdict ${look}`}>
        <p className="badge">{badge}</p>
        <p>
          <Sentence of={tellIntervals(verdict.sentence, promptsOf(found))} />
        </p>
      </div>
      {remarks.map((each) => (
        <p key={each}>
          <Sentence of={tellIntervals(each, promptsOf(found))} />
        </p>
      ))}
      <p>
        {count(claimed.figures.pairs)} of {count(claimed.given)} <Term of="claimed">claimed</Term>{" "}
        pairs were measured
        {heldOut !== undefined &&
          `, beside ${count(heldOut.figures.pairs)} held-out ones that share no prompt with them`}
        . Pairs of one prompt count as one draw in every interval.
      </p>
      <Section title="How often it prefers the chosen response">
        <IntervalChart
          title="Chosen preferred"
          rows={rowsOf(found, ({ accuracy }) => accuracy)}
          axis="share of pairs"
          within={[0, 1]}
          reference={0.5}
          show={percent}
          counted="prompts"
        >
          How often training added more to the log-probability of the chosen response than to that
          of the rejected one. A model of the same taste does so too, on pairs that it never saw:
          only larger margins than on held-out pairs are a sign of training on these.
        </IntervalChart>
        <Comparison found={found} />
      </Section>
      <Section title="How far the responses drifted, by source">
        <div className="columns aligned">
          {(["chosen", "rejected"] as const).map((side) => (
            <IntervalChart
              key={side}
              title={`Drift of the ${side} response`}
              rows={rowsOf(found, (figures) => figures[side].perToken)}
              axis="nats per token"
              reference={0}
              show={(value) => number(value)}
              counted="prompts"
            >
              log-probability by the model after training less that by the one before. Below 0 the{" "}
              {side} responses became less likely.
            </IntervalChart>
          ))}
        </div>
        <Drift found={found} />
      </Section>
      <Section title="Likelihood displacement">
        <ChesChart found={found} />
      </Section>
    </>
  );
}

/** Claimed and held-out pairs as a whole, then each source. */
function listRows(
  found: Found,
): readonly { readonly label: string; readonly isHeldOut: boolean; readonly figures: Figures }[] {
  const { claimed, heldOut, sources } = found;
  const all = [
    { source: undefined, claimed: claimed.figures, heldOut: heldOut?.figures },
    ...sources,
  ];
  return all.flatMap(({ source, ...sides }) =>
    (["claimed", "heldOut"] as const).flatMap((side) => {
      const figures = sides[side];
      const name = side === "claimed" ? "claimed" : "held-out";
      const label = source === undefined ? `all ${name}` : `${source}, ${name}`;
      return figures === undefined ? [] : [{ label, isHeldOut: side === "heldOut", figures }];
    }),
  );
}

const rowsOf = (found: Found, of: (figures: Figures) => Estimate): readonly IntervalRow[] =>
  listRows(found).map(({ label, isHeldOut, figures }) => {
    const { value, low, high } = of(figures);
    const kind = isHeldOut ? "random" : "chosen";
    return { label, value, low, high, n: figures.prompts, kind };
  });

/** What the figures of both sides are of. */
export const promptsOf = ({ claimed, heldOut }: Found): string =>
  `n ${count(claimed.figures.prompts)} claimed${heldOut === undefined ? "" : ` and ${count(heldOut.figures.prompts)} held-out`} prompts`;

function Comparison({ found }: { readonly found: Found }): ReactNode {
  const { comparison } = found;
  if (comparison === undefined) {
    return (
      <Nothing>
        No held-out pairs were given: membership.heldOut of the experiment file names some.
      </Nothing>
    );
  }
  const { separation, separationPerToken, kind } = comparison;
  return (
    <Table
      caption="How often a claimed prompt is above a held-out one (AUROC; alike would be one half)"
      head={["Of what", "AUROC [95%]"]}
      rows={[
        ["margin: what the model after training adds", separation] as const,
        ["margin per token", separationPerToken] as const,
        ...kind.map((each) => [`${each.feature}, in which training has no part`, each] as const),
      ].map(([name, { value, low, high }]) => [
        name,
        <Sentence
          key="a"
          of={tellIntervals(`${number(value)} ${interval(low, high, number)}`, promptsOf(found))}
        />,
      ])}
    />
  );
}

function Drift({ found }: { readonly found: Found }): ReactNode {
  const show = ({ value, low, high }: Estimate, figures: Figures, form = number): ReactNode => (
    <Figure tells={`95% ${interval(low, high, form) || "not known"}, n ${figures.prompts} prompts`}>
      {form(value)}
    </Figure>
  );
  return (
    <Table
      caption="By source: drift in nats, pairs whose chosen response became less likely, and CHES"
      head={[
        "Pairs",
        "Count",
        "Chosen",
        "Rejected",
        <Term key="d" of="displaced">
          Chosen less likely
        </Term>,
        <Term key="c" of="CHES">
          CHES per token
        </Term>,
      ]}
      rows={listRows(found).map(({ label, figures }) => [
        label,
        count(figures.pairs),
        show(figures.chosen.perResponse, figures),
        show(figures.rejected.perResponse, figures),
        show(figures.displaced, figures, percent),
        show(figures.ches.normalised, figures),
      ])}
    />
  );
}
