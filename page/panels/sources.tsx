import type { ReactNode } from "react";

import type { PartValues } from "../../src/report/report-source.ts";
import { addressHref, change, useAddress } from "../address.ts";
import { IntervalChart } from "../charts/interval-chart.tsx";
import { Figure, Figures, Nothing, Section, Table } from "../components.tsx";
import { count, interval, number, percent } from "../format.ts";
import { Term } from "../glossary.tsx";
import { definePanel } from "./panel.ts";

export const sourcesPanel = definePanel({
  id: "sources",
  title: "Sources",
  parts: ["rankings", "audit", "generators"],
  View: ({ parts: { rankings, audit, generators } }) => (
    <>
      <h1>Where the pairs of the top come from</h1>
      {rankings?.map(({ label, ranking, editedTops }) => (
        <Section key={label} title={rankings.length === 1 ? "Lift" : `Lift by ${label}`}>
          {ranking.lifts.length === 0 ? (
            <Nothing>The pairs have no column that says where they come from.</Nothing>
          ) : (
            <Lifts
              tables={ranking.lifts}
              by={ranking.by ?? "group"}
              edited={editedTops}
              label={rankings.length === 1 ? "" : label}
            />
          )}
        </Section>
      )) ?? <Nothing>Nothing was ranked yet.</Nothing>}
      {generators?.flatMap(({ label, sides }) =>
        sides.map(({ side, lifts }) => (
          <Section
            key={`${label} ${side}`}
            title={
              <>
                Lift by <Term of="generator" /> of the {side} response
                {generators.length === 1 ? "" : `, ${label}`}
              </>
            }
          >
            <Lifts
              tables={lifts}
              by="generator"
              edited={rankings?.find((each) => each.label === label)?.editedTops}
              of={`generator of the ${side} response`}
              label={generators.length === 1 ? "" : label}
            />
          </Section>
        )),
      )}
      {audit !== undefined && audit.sources.length > 0 && (
        <Section title="All sources">
          <Table
            caption="Sources of the data"
            head={["Source", "Pairs", "Share", "Chosen is longer", "Near-identical sides"]}
            rows={audit.sources.map(({ source, pairs, share, lengths, nearIdentical }) => [
              source === null ? (
                "none"
              ) : (
                <a key="a" href={addressHref(["pairs"], { source })}>
                  {source}
                </a>
              ),
              count(pairs),
              <Share key="s" part={pairs} of={Math.round(pairs / share)} />,
              <Figure
                key="f"
                tells={`95% ${interval(lengths.longerChosen.low, lengths.longerChosen.high, percent)}, n ${lengths.longerChosen.of} pairs`}
              >
                {percent(lengths.longerChosen.share)}
              </Figure>,
              count(nearIdentical),
            ])}
          />
        </Section>
      )}
      {audit !== undefined && audit.generators.length > 0 && (
        <Section title={<Term of="generator">Generators</Term>}>
          <Table
            caption="Models that wrote the responses"
            head={["Generator", "Chosen", "Rejected", "Its side is chosen"]}
            rows={audit.generators.map(({ generator, chosen, rejected, wins }) => [
              generator,
              count(chosen),
              count(rejected),
              <Figure
                key="f"
                tells={`95% ${interval(wins.low, wins.high, percent)}, n ${wins.of} pairs`}
              >
                {percent(wins.share)}
              </Figure>,
            ])}
          />
        </Section>
      )}
      {audit !== undefined && audit.warnings.length > 0 && (
        <Section title="What the audit warns of">
          <ul>
            {audit.warnings.map((warning) => (
              <li key={warning}>
                <Figures
                  tells={`n ${count(audit.usable)} pairs: counted, not estimated, so without an interval`}
                  n={`n ${count(audit.usable)} pairs`}
                >
                  {warning}
                </Figures>
              </li>
            ))}
          </ul>
        </Section>
      )}
    </>
  ),
});

/** A share that is counted whole. */
const Share = ({ part, of }: { readonly part: number; readonly of: number }): ReactNode => (
  <Figure
    tells={`${count(part)} of n ${count(of)} pairs: counted, not estimated, so without an interval`}
  >
    {percent(part / of)}
  </Figure>
);

/** Sources that a chart shows. */
const SHOWN = 25;

function Lifts({
  tables,
  by,
  of = by,
  label = "",
  edited = [],
}: {
  /** One for each size of the top, at least one. */
  readonly tables: PartValues["rankings"][number]["ranking"]["lifts"];
  /** What a group is. */
  readonly by: string;
  /** The same in more words, for the titles. */
  readonly of?: string | undefined;
  /** The ranking, where there are several. */
  readonly label?: string | undefined;
  /** Tops that an edit of the run took, the one to begin with first. */
  readonly edited?: readonly number[] | undefined;
}): ReactNode {
  const { top } = useAddress().params;
  const ofSize = (size: unknown) => tables.find(({ k }) => String(k) === String(size));
  const table = ofSize(top) ?? ofSize(edited[0]) ?? tables[0]!; // one at least
  const rows = table.rows.slice(0, SHOWN);
  return (
    <>
      <p>
        The <Term of="lift" /> of a {by} is its share of the top over its share of all pairs: 1 is
        what chance gives, and only an interval that lies above 1 says more.
      </p>
      <div className="tools" role="group" aria-label="Size of the top">
        {tables.map((each) => (
          <button
            key={each.k}
            type="button"
            aria-pressed={each === table}
            onClick={() => change({ top: String(each.k) })}
          >
            top {count(each.k)}
            {edited.includes(each.k) && ", edited"}
          </button>
        ))}
      </div>
      <IntervalChart
        title={`Lift by ${of} in the top ${count(table.k)} of ${count(table.n)}${label === "" ? "" : `, ${label}`}`}
        name={`lift ${of} ${label}`}
        rows={rows.map(({ group, lift, low, high, inTop }) => ({
          label: group,
          value: lift,
          low,
          high,
          n: inTop,
          kind: low > 1 ? ("planted" as const) : ("plain" as const),
        }))}
        axis="lift"
        reference={1}
        show={(value) => number(value, 1)}
        counted="pairs in the top"
      >
        Lines are 95% intervals.
        {table.rows.length > SHOWN && ` The first ${SHOWN} of ${table.rows.length}.`}
      </IntervalChart>
      <Table
        caption={`Lift by ${of} in the top ${count(table.k)}`}
        head={[by, "In the top", "In all", "Lift [95%]"]}
        rows={table.rows.map(({ group, inTop, inAll, lift, low, high }) => [
          by === "generator" ? (
            group // no column of the table of pairs has it
          ) : (
            <a
              key="a"
              href={addressHref(["pairs"], by === "source" ? { source: group } : { q: group })}
            >
              {group}
            </a>
          ),
          <span key="t">
            {count(inTop)} (<Share part={inTop} of={table.k} />)
          </span>,
          <span key="n">
            {count(inAll)} (<Share part={inAll} of={table.n} />)
          </span>,
          <Figure
            key="f"
            tells={`95% ${interval(low, high, number)}, n ${inTop} of ${table.k} pairs`}
          >
            {number(lift, 2)} {interval(low, high, (value) => number(value, 2))}
          </Figure>,
        ])}
      />
    </>
  );
}
