import type { ReactNode } from "react";

import type { PairList, PairRow } from "../../src/report/report-source.ts";
import { addressHref, go } from "../address.ts";
import { Await, Facts, Figure, Nothing, OfOne, Section, Table } from "../components.tsx";
import { count, number, score } from "../format.ts";
import { Term } from "../glossary.tsx";
import { useKeys } from "../keys.ts";
import { useLoaded } from "../use-loaded.ts";
import { PairText } from "./pair/pair-text.tsx";
import { queryOf } from "./pairs.tsx";
import { Marks } from "./pairs/marks.tsx";
import { definePanel, type PanelView } from "./panel.ts";

export const pairPanel = definePanel({
  id: "pair",
  title: "Pair",
  parts: ["rankings"],
  isListed: () => false,
  View: (view) => {
    const [id = ""] = view.path;
    const { params, source } = view;
    const found = useLoaded(
      JSON.stringify([id, params["method"], queryOf(params, [])]),
      async () => {
        const methods = (await source.pairSummary())?.methods ?? [];
        const list = await source.pairs(queryOf(params, methods));
        const at = await list.indexOf(id);
        const whole = at === -1 ? await source.pairs(queryOf({}, [])) : list;
        const place = at === -1 ? await whole.indexOf(id) : at;
        const rows = place === -1 ? [] : await whole.rows(Math.max(0, place - 1), place + 2);
        const row = rows.find((each) => each.id === id);
        const step = (by: number): PairRow | undefined => rows[rows.indexOf(row!) + by];
        return { row, before: row && step(-1), after: row && step(1), place, list: whole };
      },
      "rankings",
    );
    return (
      <Await of={found}>
        {({ row, before, after, place, list }) =>
          row === undefined ? (
            <>
              <h1>Pair {id}</h1>
              <Nothing>
                This report has no row for it. Where it does not list all pairs, ranking.parquet in
                the run's folder has them; an id that is not there either is of no ranked pair.
              </Nothing>
            </>
          ) : (
            <OnePair {...view} row={row} before={before} after={after} place={place} list={list} />
          )
        }
      </Await>
    );
  },
});

interface OnePairProps extends PanelView<"rankings"> {
  readonly row: PairRow;
  readonly before: PairRow | undefined;
  readonly after: PairRow | undefined;
  readonly place: number;
  readonly list: PairList;
}

function OnePair({
  row,
  before,
  after,
  place,
  list,
  source,
  params,
  parts,
}: OnePairProps): ReactNode {
  const detail = useLoaded(row.id, () => source.pair(row.id), "rankings");
  const to = (other: PairRow | undefined, at: number): string | undefined =>
    other && addressHref(["pair", other.id], { ...params, row: String(at) });
  const [toBefore, toAfter] = [to(before, place - 1), to(after, place + 1)];
  const hasWinner = row.places.some((at) => at?.winner !== undefined);
  const back = addressHref(["pairs"], { ...params, view: undefined }); // how a pair is shown is of no table
  usePairKeys(toBefore, toAfter, back);
  return (
    <>
      <p className="tools">
        <a href={back}>Back to the table</a>
        {toBefore !== undefined && <a href={toBefore}>Previous (k)</a>}
        {toAfter !== undefined && <a href={toAfter}>Next (j)</a>}
        <span className="quiet">
          {count(place + 1)} of {count(list.count)}
        </span>
      </p>
      <h1>
        Pair <bdi>{row.id}</bdi> <Marks of={row.flags} />
      </h1>
      <Section title="Its place in every ranking">
        <Table
          caption="Scores"
          head={[
            "Method",
            <Term key="s" of="score" />,
            <Term key="r" of="rank" />,
            <Term key="p" of="percentile" />,
            ...(hasWinner
              ? [
                  <>
                    Nearest of the <Term of="bank" />
                  </>,
                ]
              : []),
          ]}
          rows={(parts.rankings ?? []).map(({ label, ranking }, i) => {
            const at = row.places[i];
            return [
              label,
              <OfOne key="s">{score(at?.score)}</OfOne>,
              count(at?.rank),
              at?.percentile === undefined ? (
                "–"
              ) : (
                <Figure
                  key="f"
                  tells={`above so many percent of n ${count(ranking.scored)} scored pairs; a score of one pair has no interval`}
                >
                  {number(at.percentile, 2)}
                </Figure>
              ),
              ...(hasWinner
                ? [at?.winner === undefined ? "–" : <ScenarioLink key="w" id={at.winner} />]
                : []),
            ];
          })}
        />
      </Section>
      <Await of={detail}>
        {(found) =>
          found === undefined ? (
            <Nothing>Its text is not in this report; the pair files have it.</Nothing>
          ) : (
            <>
              <Section title="The two responses">
                <PairText detail={found} ask={source.tokens} />
              </Section>
              <Section title="What is known of it">
                <Facts
                  of={[
                    ["Source", row.source ?? "not said"],
                    ["File", `${found.file}, row ${count(found.fileRow)} (from 0)`],
                    ...Object.entries(found.columns)
                      .filter(([name]) => name !== "source")
                      .map(([name, value]) => [name, String(value ?? "–")] as const),
                    [
                      <Term key="t" of="datapoint vector">
                        Length of its vector
                      </Term>,
                      <OfOne key="n">{score(row.norm)}</OfOne>,
                    ],
                    ...(found.repeats === undefined
                      ? []
                      : [["Says the same as", <PairLink key="r" id={found.repeats} />] as const]),
                    [
                      "Same prompt",
                      found.samePrompt.count === 0 ? (
                        "no other pair"
                      ) : (
                        <PairLinks
                          key="l"
                          ids={found.samePrompt.ids}
                          more={found.samePrompt.count}
                        />
                      ),
                    ],
                  ]}
                />
              </Section>
              <Neighbors detail={found} />
            </>
          )
        }
      </Await>
    </>
  );
}

type Detail = NonNullable<Awaited<ReturnType<PanelView<"rankings">["source"]["pair"]>>>;

function Neighbors({ detail }: { readonly detail: Detail }): ReactNode {
  const { nearestPairs = [], nearestScenarios = [] } = detail;
  if (nearestPairs.length + nearestScenarios.length === 0) {
    return (
      <Section title="Near it in vector space">
        <Nothing>Neighbours are computed for the pairs ranked highest.</Nothing>
      </Section>
    );
  }
  return (
    <div className="columns">
      <Section title="Nearest scenarios of the behaviour">
        <Table
          caption="By the cosine of the vectors"
          head={["Scenario", "Cosine"]}
          rows={nearestScenarios.map(({ id, cosine }) => [
            <ScenarioLink key="s" id={id} />,
            <OfOne key="c">{number(cosine)}</OfOne>,
          ])}
        />
      </Section>
      <Section title="Nearest pairs">
        <Table
          caption="Among those ranked highest, by the cosine of the vectors"
          head={["Pair", "Cosine"]}
          rows={nearestPairs.map(({ id, cosine }) => [
            <PairLink key="p" id={id} />,
            <OfOne key="c">{number(cosine)}</OfOne>,
          ])}
        />
      </Section>
    </div>
  );
}

const ScenarioLink = ({ id }: { readonly id: string }): ReactNode => (
  <a href={addressHref(["behavior"], { scenario: id, open: id })}>{id}</a>
);

const PairLink = ({ id }: { readonly id: string }): ReactNode => (
  <a href={addressHref(["pair", id])}>
    <bdi>{id}</bdi>
  </a>
);

const PairLinks = ({
  ids,
  more,
}: {
  readonly ids: readonly string[];
  readonly more: number;
}): ReactNode => (
  <>
    {ids.map((id) => (
      <span key={id}>
        <PairLink id={id} />{" "}
      </span>
    ))}
    {more > ids.length && `and ${more - ids.length} more`}
  </>
);

/** j and k go through the list, Escape back to it. */
function usePairKeys(before: string | undefined, after: string | undefined, back: string): void {
  useKeys(({ key }) => {
    const to = { j: after, k: before, Escape: back }[key];
    if (to !== undefined) go(to);
  });
}
