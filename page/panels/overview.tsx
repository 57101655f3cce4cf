import type { ReactNode } from "react";

import type { PairRow, PartValues, ReportSource } from "../../src/report/report-source.ts";
import { addressHref } from "../address.ts";
import { Await, Facts, Figure, Nothing, Section, Sentence, Table } from "../components.tsx";
import { amount, count, duration, interval, points } from "../format.ts";
import { Term } from "../glossary.tsx";
import { useLoaded } from "../use-loaded.ts";
import type { Result } from "./overview/arm-kind.ts";
import { AboutCapabilities, CapabilityCharts } from "./overview/capability-charts.tsx";
import { CostChart } from "./overview/cost-chart.tsx";
import { RateCharts } from "./overview/rate-charts.tsx";
import { ReductionChart } from "./overview/reduction-chart.tsx";
import { TenthsCharts } from "./overview/tenths-charts.tsx";
import { Marks } from "./pairs/marks.tsx";
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
    const { headline, certainty, conclusions, next, result } = overview;
    return (
      <>
        <h1>What happened, and which pairs did it</h1>
        <div className={`verdict ${headline.kind}`}>
          <p className="badge">{KINDS[headline.kind]}</p>
          <p>
            <Sentence of={headline} />
          </p>
          {headline.figures.length > 0 && (
            <p className="quiet small">
              In brackets 95% <Term of="interval">intervals</Term>: where the figure would lie with
              other requests of the kind. Measured on the{" "}
              <Term of="half">scenarios of the evaluation</Term>.
            </p>
          )}
        </div>
        <Section title="Which pairs">
          {result !== undefined && <WherePairs result={result} />}
          <TopPairs source={source} />
        </Section>
        <div className="columns">
          {certainty.length > 0 && (
            <Section title="How sure that is">
              <ul>
                {certainty.map((each) => (
                  <li key={each.sentence}>
                    <Sentence of={each} />
                  </li>
                ))}
              </ul>
            </Section>
          )}
          <Section title="What to do next">
            <ol>
              {next.map(({ command, ...step }) => (
                <li key={step.sentence}>
                  <Sentence of={step} />
                  {command !== undefined && (
                    <pre className="command" tabIndex={0} aria-label="Command">
                      {command}
                    </pre>
                  )}
                </li>
              ))}
            </ol>
          </Section>
        </div>
        <Section title="What was asked">
          <Asked overview={overview} />
        </Section>
        {result?.evaluation !== undefined && (
          <Section title="How often it happens, and what else changed, by arm">
            <HowToReadArms result={result} />
            <AboutCapabilities evaluation={result.evaluation} />
            <div className="columns aligned">
              <RateCharts result={result} evaluation={result.evaluation} of="trigger" />
              <CapabilityCharts evaluation={result.evaluation} />
              <RateCharts result={result} evaluation={result.evaluation} of="others" />
              <ReductionChart result={result} evaluation={result.evaluation} />
              <TenthsCharts result={result} evaluation={result.evaluation} />
            </div>
          </Section>
        )}
        {conclusions.length > 0 && (
          <Section title="Everything concluded">
            <ul>
              {conclusions.map((each) => (
                <li key={each.sentence}>
                  <Sentence of={each} />
                </li>
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
          result === undefined
            ? `from ${pairFiles.join(", ")}`
            : `${count(result.pairs)} ranked, from ${pairFiles.join(", ")}`,
        ],
        ...(probe?.scenarios === undefined
          ? []
          : [
              [
                <Term key="t" of="scenario">
                  Scenarios
                </Term>,
                `${probe.scenarios.kept} of ${probe.scenarios.of} show it after training only${probe.scenarios.unknown === 0 ? "" : `, ${probe.scenarios.unknown} are unknown`}`,
              ] as const,
            ]),
        ...rates.map(
          ({ variant, difference, low, high, prompts }) =>
            [
              <>
                Change by training, <Term of="variant">{variant}</Term>
              </>,
              <>
                <Figure tells={`95% ${interval(low, high, points)}, n ${prompts} prompts`}>
                  {points(difference)} {interval(low, high, points)} percentage points
                </Figure>{" "}
                on the <Term of="half">scenarios of the probe</Term>, by which the behaviour was
                found
              </>,
            ] as const,
        ),
        ...(result === undefined || result.seeds.length === 0
          ? []
          : [
              [
                <Term key="t" of="training seed">
                  Training seeds
                </Term>,
                count(result.seeds.length),
              ] as const,
            ]),
        ["Took", `${duration(total.seconds)}, ${amount(total.tokens)} tokens`],
      ]}
    />
  );
}

/** The sources of the pairs that the most telling edit takes, or of how many the ranking is. */
function WherePairs({ result }: { readonly result: Result }): ReactNode {
  const edit = result.edits.find(
    ({ pick, action }) => pick === "chosen" && action !== "drop-source" && action !== "tenth",
  );
  return (
    <p>
      A <Term of="preference pair">pair</Term> is a prompt with two responses, and training teaches
      the model to prefer the chosen one to the rejected one. Its <Term of="score" /> says how far
      that moves the model the way of the behaviour.{" "}
      {edit !== undefined && edit.groups.length > 1 && (
        <>
          The {count(edit.pairs)} pairs{" "}
          {edit.action === "review" ? "that people decided on" : "ranked highest"} come from{" "}
          {edit.groups.map(({ group, edited }, i) => (
            <span key={group}>
              {i > 0 && ", "}
              <bdi>{group}</bdi> ({count(edited)})
            </span>
          ))}
          .
        </>
      )}
    </p>
  );
}

/** What the arms of this run are. */
function HowToReadArms({ result }: { readonly result: Result }): ReactNode {
  const actions = new Set(result.edits.map(({ action }) => action));
  const hasControl = result.edits.some(({ controls }) => controls.length > 0);
  return (
    <>
      <p>
        Each line is a model (an <Term of="arm" />
        ): <b>before</b> is the one that training started from
        {result.edits.length > 0 && (
          <>
            ,{" "}
            <Term of="baseline">
              <b>{result.evaluation?.baseline}</b>
            </Term>{" "}
            was trained on all pairs, the others on <Term of="edit">edited</Term> ones
          </>
        )}
        .
        {ACTIONS.filter(([action]) => actions.has(action)).map(([action, does]) => (
          <span key={action}>
            {" "}
            <b>{action}</b> {does}.
          </span>
        ))}
      </p>
      {result.trigger === "base+distractor" && (
        <p>
          The models were asked in two ways (<Term of="variant">variants</Term>): <b>base</b> is the
          request alone, <b>base+distractor</b> the request with something appended that has nothing
          to do with it, such as a format to obey.
        </p>
      )}
      {hasControl && (
        <p>
          A filled point is an edit of chosen pairs, a hollow one its <Term of="random control" />:
          as many random pairs. Only where the two lie apart is it the chosen pairs that matter.
        </p>
      )}
    </>
  );
}

const ACTIONS: readonly (readonly [Result["edits"][number]["action"], string])[] = [
  ["filter", "leaves out the pairs ranked highest"],
  ["swap", "exchanges their chosen and rejected responses"],
  ["drop-source", "leaves out whole sources that are over-represented among them"],
  ["tenth", "leaves one tenth of the ranking alone"],
  ["review", "does what people decided of single pairs"],
];

function TopPairs({ source }: Pick<PanelView<"overview">, "source">): ReactNode {
  const top = useLoaded("top", async () => {
    const list = await source.pairs({ method: 0, sort: "rank", isDescending: false });
    return list.rows(0, SHOWN);
  });
  return (
    <Await of={top}>
      {(rows) =>
        rows.length === 0 ? (
          <Nothing>Nothing was ranked yet.</Nothing>
        ) : (
          <>
            <TopTable rows={rows} source={source} />
            <p>
              <a href={addressHref(["pairs"])}>All pairs</a>
            </p>
          </>
        )
      }
    </Await>
  );
}

/** Pairs of the top that are shown. */
const SHOWN = 6;
/** Characters of a prompt or a response there. */
const BEGINNING = 110;

/** The pairs with the beginnings of their responses, which come a little later than the rows. */
function TopTable({
  rows,
  source,
}: {
  readonly rows: readonly PairRow[];
  readonly source: ReportSource;
}): ReactNode {
  const texts = useLoaded(rows.map(({ id }) => id).join("\n"), () =>
    Promise.all(rows.map(({ id }) => source.pair(id))),
  );
  const side = (i: number, of: "prompt" | "chosen" | "rejected"): string => {
    if (texts.kind !== "ready") return texts.kind === "failed" ? "–" : "…";
    const turns = texts.value[i]?.[of] ?? [];
    // Of a conversation the last turn is what is answered.
    const text = (of === "prompt" ? turns.slice(-1) : turns)
      .map(({ content }) => content)
      .join(" ");
    return text.length > BEGINNING ? `${text.slice(0, BEGINNING)}…` : text || "–";
  };
  return (
    <Table
      caption="The first of the ranking"
      head={["Rank", "Source", "Prompt", "Chosen", "Rejected", "Marks"]}
      rows={rows.map(({ id, source: from, preview, flags, places }, i) => [
        <a key="a" href={addressHref(["pair", id])}>
          {places[0]?.rank ?? "–"}
        </a>,
        from ?? "–",
        preview === "" ? id : texts.kind === "ready" ? side(i, "prompt") : preview,
        side(i, "chosen"),
        side(i, "rejected"),
        <Marks key="m" of={flags} />,
      ])}
    />
  );
}
