import type { ReactNode } from "react";

import type { PartValues } from "../../src/report/report-source.ts";
import { triggeredArms } from "../../src/report/triggered-arms.ts";
import { IntervalChart } from "../charts/interval-chart.tsx";
import { Await, Figure, Figures, Nothing, Section, Table } from "../components.tsx";
import { amount, count, duration, interval, number, percent } from "../format.ts";
import { Term } from "../glossary.tsx";
import { useLoaded } from "../use-loaded.ts";
import { definePanel, type PanelView } from "./panel.ts";

type Result = NonNullable<PartValues["overview"]["result"]>;

export const methodsPanel = definePanel({
  id: "methods",
  title: "Methods",
  parts: ["overview", "rankings"],
  View: ({ parts: { overview, rankings }, source }) => {
    const result = overview?.result;
    if (overview === undefined || result === undefined) {
      return <Nothing>The run has not ended.</Nothing>;
    }
    return (
      <>
        <h1>Ways to rank, side by side</h1>
        <Section title={<Term of="attribution method">Methods</Term>}>
          <Table
            caption="What each does, and what it took"
            head={["Method", "Score", "Pairs", "Time", "Tokens", "Verdict"]}
            rows={result.methods.map(({ name, formula, pairs, stage, cost, verdict }) => [
              name,
              formula,
              count(pairs),
              durationOf(overview, stage),
              amount(cost.tokens),
              verdict === undefined ? (
                "–"
              ) : (
                <Figures key="v" tells={`n ${count(pairs)} pairs, beside null directions`}>
                  {`${verdict.kind}: ${verdict.reason}`}
                </Figures>
              ),
            ])}
          />
          {result.methods.length === 1 && (
            <Nothing>
              One method ran. Others go into rank.methods of the experiment file, each with its own
              name.
            </Nothing>
          )}
        </Section>
        <Section title="How well each finds the planted pairs">
          <Quality methods={result.methods} />
        </Section>
        <Section title="How far they agree">
          <Agreements source={source} />
          <Overlap rankings={rankings} />
        </Section>
        <Section title="What followed from each">
          <Arms result={result} />
        </Section>
      </>
    );
  },
});

const durationOf = (overview: PartValues["overview"], stage: string): string => {
  const cost = overview.stages.find(({ id }) => id === stage)?.cost;
  return cost === undefined ? "–" : duration(cost.seconds);
};

function Quality({ methods }: Pick<Result, "methods">): ReactNode {
  const known = methods.flatMap(({ name, quality }) =>
    quality === undefined ? [] : [{ name, quality }],
  );
  if (known.length === 0) {
    return (
      <Nothing>
        Nobody knows which pairs are at fault: only a model organism has planted ones.
      </Nothing>
    );
  }
  const { planted, pairs } = known[0]!.quality;
  return (
    <>
      <IntervalChart
        title="AUROC"
        rows={known.map(({ name, quality: { auroc } }) => ({
          label: name,
          ...auroc,
          n: planted,
          kind: "chosen",
        }))}
        axis="AUROC"
        domain={[0, 1]}
        reference={0.5}
        show={(value) => number(value, 2)}
        counted="planted pairs"
      >
        How often a <Term of="planted" /> pair scores above another; 0.5 is chance.
      </IntervalChart>
      <Table
        caption={`${planted} of ${pairs} pairs are planted`}
        head={[
          "Method",
          <>
            <Term of="AUROC" /> [95%]
          </>,
          <>
            <Term of="average precision">Average precision</Term> [95%]
          </>,
          "Found",
        ]}
        rows={known.map(({ name, quality: { auroc, averagePrecision, at } }) => [
          name,
          ...[auroc, averagePrecision].map(({ value, low, high }, i) => (
            <Figure
              key={i}
              tells={`95% ${interval(low, high, number)}, n ${planted} planted pairs of ${pairs}`}
            >
              {number(value)} {interval(low, high, number)}
            </Figure>
          )),
          at.map(({ k, found, precision: { value, low, high } }) => (
            <span key={k}>
              {found} in the top {count(k)}, a share of{" "}
              <Figure tells={`95% ${interval(low, high, percent)}, n ${k} pairs`}>
                {percent(value)} {interval(low, high, percent)}
              </Figure>{" "}
            </span>
          )),
        ])}
      />
    </>
  );
}

function Agreements({ source }: Pick<PanelView<"overview">, "source">): ReactNode {
  const summary = useLoaded("summary", () => source.pairSummary());
  return (
    <Await of={summary}>
      {(found) =>
        found === undefined || found.agreements.length === 0 ? undefined : (
          <Table
            caption="Every two methods on the same pairs"
            head={[
              "Methods",
              <>
                <Term of="rank correlation">Rank correlation</Term> [95%]
              </>,
              "Shared in the tops",
            ]}
            rows={found.agreements.map(({ between, correlation, tops }) => [
              between.join(" and "),
              <Correlation key="c" of={correlation} />,
              sharedTops(tops),
            ])}
          />
        )
      }
    </Await>
  );
}

type RankCorrelation =
  PartValues["rankings"][number]["ranking"]["unrelated"][number]["correlation"];

/** A rank correlation with its interval, and of how many pairs it is. */
function Correlation({ of }: { readonly of: RankCorrelation }): ReactNode {
  if (of === undefined) return "–";
  const around = interval(of.low, of.high, number);
  return (
    <Figure tells={`95% ${around}, n ${of.n} pairs`}>
      {number(of.r)} {around}
    </Figure>
  );
}

const sharedTops = (
  tops: readonly { readonly k: number; readonly shared: number; readonly expected: number }[],
): ReactNode =>
  tops.map(({ k, shared, expected }) => (
    <div key={k}>
      {shared} of {count(k)}, by chance{" "}
      <Figure
        tells={`the mean of two rankings that know nothing of each other, n ${count(k)} pairs`}
      >
        {number(expected, 1)}
      </Figure>
    </div>
  ));

function Overlap({
  rankings,
}: {
  readonly rankings: PartValues["rankings"] | undefined;
}): ReactNode {
  const compared = (rankings ?? []).flatMap(({ label, ranking }) =>
    ranking.unrelated.map((each) => ({ label, ...each })),
  );
  if (compared.length === 0) {
    return (
      <Nothing>
        Nothing was held to an unrelated behaviour: rank.nulls of the experiment file names some.
      </Nothing>
    );
  }
  return (
    <Table
      caption="Beside the rankings of unrelated behaviours, the second null"
      head={[
        "Method",
        "Behaviour",
        <Term of="cosine">Cosine</Term>,
        <>
          <Term of="rank correlation">Rank correlation</Term> [95%]
        </>,
        "Shared in the tops",
      ]}
      rows={compared.map(({ label, behavior, cosine, correlation, overlaps, doubt }) => [
        label,
        <span key="b">
          {behavior}
          {doubt !== undefined && (
            <Figures tells="n stands in the file of that behaviour, with the interval">
              {`, not stable (${doubt})`}
            </Figures>
          )}
        </span>,
        <Figure
          key="a"
          tells="between two directions, n 1: it has no interval; how stable they are is on the page Behaviour"
        >
          {number(cosine)}
        </Figure>,
        <Correlation key="c" of={correlation} />,
        sharedTops(overlaps),
      ])}
    />
  );
}

function Arms({ result }: { readonly result: Result }): ReactNode {
  const { evaluation, trigger, edits } = result;
  const arms = triggeredArms(evaluation, trigger);
  const rows = edits.flatMap(({ arm, method, action, pairs, pick }) => {
    const found = arms.find((each) => each.arm === arm);
    // By people, not by a ranking; tenths stand on the Overview.
    return found?.rate.rate === undefined || method === undefined || action === "tenth"
      ? []
      : [
          {
            label: `${method}: ${arm}, ${count(pairs)} pairs`,
            value: found.rate.rate,
            low: found.rate.low,
            high: found.rate.high,
            n: found.rate.judged,
            kind: pick === "chosen" ? ("chosen" as const) : ("random" as const),
          },
        ];
  });
  if (rows.length === 0) return <Nothing>Nothing was trained on edits by these rankings.</Nothing>;
  return (
    <IntervalChart
      title={`Rate after training on each edit, ${trigger ?? ""}`}
      rows={rows}
      axis="rate"
      domain={[0, 1]}
      show={(value) => percent(value, 0)}
      counted="judged rollouts"
    >
      Lines are 95% intervals. Filled: <Term of="edit">edits</Term> of pairs that the ranking chose;
      hollow: of as many random ones.
    </IntervalChart>
  );
}
