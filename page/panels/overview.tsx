import type { ReactNode } from "react";

import type { PartValues } from "../../src/report/report-source.ts";
import { addressHref } from "../address.ts";
import { Await, Facts, Figure, Nothing, Section, Table } from "../components.tsx";
import { amount, count, duration, interval, percent } from "../format.ts";
import { Term } from "../glossary.tsx";
import { useLoaded } from "../use-loaded.ts";
import { CapabilityCharts } from "./overview/capability-charts.tsx";
import { CostChart } from "./overview/cost-chart.tsx";
import { RateCharts } from "./overview/rate-charts.tsx";
import { ReductionChart } from "./overview/reduction-chart.tsx";
import { definePanel, type PanelView } from "./panel.ts";

type Overview = PartValues["overview"];

const KINDS = {
  shown: "Told apart from chance",
  unshown: "Not shown",
  ranked: "Ranked, not tested",
  unstable: "Not stable",
  unfinished: "Not finished",
} as const satisfies Record<Overview["headline"]["kind"], string>;

export const overviewPanel = definePanel({
  id: "overview",
  title: "Overview",
  parts: ["overview"],
  View: ({ parts, source }) => {
    const { overview } = parts;
    if (overview === undefined) return <Nothing>There is no run.</Nothing>;
    const { headline, next, result } = overview;
    return (
      <>
        <h1>What happened, and which pairs did it</h1>
        <div className={`verdict ${headline.kind}`}>
          <p className="badge">{KINDS[headline.kind]}</p>
          <p>{headline.sentence}</p>
        </div>
        <div className="columns">
          <Section title="What was asked">
            <Asked overview={overview} />
          </Section>
          <Section title="What to do next">
            <ol>
              {next.map((step) => (
                <li key={step}>{step}</li>
              ))}
            </ol>
          </Section>
        </div>
        <Section title="The pairs ranked highest">
          <TopPairs source={source} />
        </Section>
        {result?.evaluation !== undefined && (
          <>
            <Section title={<>How often it happens, by arm</>}>
              <p>
                Each line is a model trained on edited pairs (an <Term of="arm" />
                ). A filled point is an edit of pairs chosen by the ranking, a hollow one its{" "}
                <Term of="random control" />: as many random pairs. Only where the two lie apart is
                it the chosen pairs that matter.
              </p>
              <RateCharts result={result} evaluation={result.evaluation} />
              <ReductionChart result={result} evaluation={result.evaluation} />
            </Section>
            <Section title={<>What else changed</>}>
              <CapabilityCharts evaluation={result.evaluation} />
            </Section>
          </>
        )}
        {result !== undefined && (
          <Section title="Everything concluded">
            <ul>
              {result.conclusions.map((each) => (
                <li key={each}>{each}</li>
              ))}
            </ul>
          </Section>
        )}
        <Section title="What it took">
          <CostChart overview={overview} />
        </Section>
      </>
    );
  },
});

function Asked({ overview }: { readonly overview: Overview }): ReactNode {
  const { result, checkpoint, pairFiles, total } = overview;
  const probe = result?.probe;
  const rates = probe?.rates?.changes ?? [];
  return (
    <Facts
      of={[
        [
          <Term key="t" of="behaviour">
            Behaviour
          </Term>,
          result?.behavior ?? "not known yet",
        ],
        ["Checkpoint before", checkpoint],
        [
          <Term key="t" of="preference pair">
            Pairs
          </Term>,
          `${count(result?.pairs)} ranked, from ${pairFiles.join(", ")}`,
        ],
        ...(probe?.scenarios === undefined
          ? []
          : [
              [
                <Term key="t" of="scenario">
                  Scenarios
                </Term>,
                `${probe.scenarios.kept} of ${probe.scenarios.of} show it after training only (${probe.scenarios.unknown} unknown)`,
              ] as const,
            ]),
        ...rates.map(
          ({ variant, difference, low, high, prompts }) =>
            [
              `Change, ${variant}`,
              <Figure key="f" tells={`95% ${interval(low, high, percent)}, n ${prompts} prompts`}>
                {percent(difference)} {interval(low, high, percent)}
              </Figure>,
            ] as const,
        ),
        ["Training seeds", result === undefined ? "–" : count(result.seeds.length)],
        ["Took", `${duration(total.seconds)}, ${amount(total.tokens)} tokens`],
      ]}
    />
  );
}

function TopPairs({ source }: Pick<PanelView<"overview">, "source">): ReactNode {
  const top = useLoaded("top", async () => {
    const list = await source.pairs({ method: 0, sort: "rank", isDescending: false });
    return list.rows(0, 6);
  });
  return (
    <Await of={top}>
      {(rows) =>
        rows.length === 0 ? (
          <Nothing>Nothing was ranked yet.</Nothing>
        ) : (
          <>
            <Table
              caption="The first of the ranking"
              head={["Rank", "Source", "Prompt", "Marks"]}
              rows={rows.map(({ id, source: from, preview, flags, places }) => [
                <a key="a" href={addressHref(["pair", id])}>
                  {places[0]?.rank ?? "–"}
                </a>,
                from ?? "–",
                preview === "" ? id : preview,
                flags.join(", "),
              ])}
            />
            <p>
              <a href={addressHref(["pairs"])}>All pairs</a>
            </p>
          </>
        )
      }
    </Await>
  );
}
