import { type KeyboardEvent, type ReactNode, type RefObject, useRef } from "react";

import type {
  PairFlag,
  PairQuery,
  PairSort,
  PairSummary,
  PartValues,
} from "../../src/report/report-source.ts";
import { PAIR_FLAGS, PAIR_SORTS } from "../../src/report/report-source.ts";
import { addressHref, change, go } from "../address.ts";
import { IntervalChart } from "../charts/interval-chart.tsx";
import { Await, Nothing, Section } from "../components.tsx";
import { count, number } from "../format.ts";
import { Term } from "../glossary.tsx";
import { useKeys } from "../keys.ts";
import { useLoaded } from "../use-loaded.ts";
import { Marks } from "./pairs/marks.tsx";
import { NullHistogram } from "./pairs/null-histogram.tsx";
import { enterGrid, PairGrid } from "./pairs/pair-grid.tsx";
import { definePanel, type PanelView } from "./panel.ts";

export const pairsPanel = definePanel({
  id: "pairs",
  title: "Pairs",
  parts: ["overview", "rankings"],
  View: (view) => {
    const summary = useLoaded("summary", () => view.source.pairSummary(), "rankings");
    return (
      <>
        <h1>The ranking, pair by pair</h1>
        <Await of={summary}>
          {(found) =>
            found === undefined ? (
              <Nothing>Nothing was ranked yet.</Nothing>
            ) : (
              <Pairs {...view} summary={found} />
            )
          }
        </Await>
      </>
    );
  },
});

type View = PanelView<"overview" | "rankings"> & { readonly summary: PairSummary };

/** What the address says of the table. It may name a method that the run no longer has: then the first. */
export function queryOf(
  params: Readonly<Record<string, string>>,
  methods: PairSummary["methods"],
): PairQuery {
  const numberOf = (text: string | undefined): number | undefined =>
    text === undefined || text === "" || Number.isNaN(Number(text)) ? undefined : Number(text);
  const sort = PAIR_SORTS.find((each) => each === params["sort"]) ?? "rank";
  return {
    method: isPlaceIn(methods, params["method"]) ? Number(params["method"]) : 0,
    search: params["q"],
    source: params["source"] === "" ? undefined : params["source"],
    ids: params["ids"],
    flag: PAIR_FLAGS.find((each) => each === params["flag"]),
    min: numberOf(params["min"]),
    max: numberOf(params["max"]),
    sort,
    isDescending: params["order"] === "falling",
  };
}

const isPlaceIn = (list: readonly unknown[], text = ""): boolean =>
  list.some((_, place) => String(place) === text);

function Pairs({ parts, source, params, summary }: View): ReactNode {
  const query = queryOf(params, summary.methods);
  const { method } = query;
  const ranking = parts.rankings?.[method]?.ranking;
  const list = useLoaded(JSON.stringify(query), () => source.pairs(query), "rankings");
  const grid = useRef<HTMLDivElement>(null);
  const sortBy = (sort: PairSort): void => {
    const falls = query.sort === sort ? !query.isDescending : sort === "score"; // the highest first
    change({ sort, order: falls ? "falling" : undefined, row: undefined });
  };
  return (
    <>
      {parts.overview?.textsAbsent !== undefined && (
        <p role="note">
          The text of the pairs is not in this report: {parts.overview.textsAbsent}.
        </p>
      )}
      <p>
        A high <Term of="score" /> says that going from the rejected to the chosen response moves
        the model the way the behaviour does. It does not say that the pair is wrong.{" "}
        {summary.selection.join(" ")}
      </p>
      <Filters summary={summary} params={params} grid={grid} />
      <Await of={list}>
        {(found) => (
          <>
            <p role="status">
              {count(found.count)} of {count(summary.listed)} listed pairs fit.
              {query.ids !== undefined &&
                ` Only the ${count(query.ids.split("\n").length)} pairs of a cluster are searched.`}
            </p>
            <p className="quiet">
              Marks: <Marks of={flagsOf(summary)} />
            </p>
            <PairGrid list={found} query={query} params={params} sortBy={sortBy} box={grid} />
          </>
        )}
      </Await>
      <Section title="The scores against chance">
        <NullHistogram ranking={ranking} histogram={method === 0 ? summary.histogram : undefined} />
      </Section>
      <Section title={<Term of="confound">Confounds</Term>}>
        <Confounds ranking={ranking} />
      </Section>
    </>
  );
}

/** What pairs of this run may be marked for. */
const flagsOf = ({ hasPlanted }: PairSummary): readonly PairFlag[] =>
  PAIR_FLAGS.filter((flag) => flag !== "planted" || hasPlanted);

function Filters({
  summary,
  params,
  grid,
}: {
  readonly summary: PairSummary;
  readonly params: Readonly<Record<string, string>>;
  readonly grid: RefObject<HTMLDivElement | null>;
}): ReactNode {
  const search = useRef<HTMLInputElement>(null);
  useKeys((event) => {
    if (event.key !== "/") return;
    event.preventDefault();
    search.current?.focus();
  });
  /** From what was searched to what was found. */
  const leave = (event: KeyboardEvent<HTMLInputElement>): void => {
    if (event.nativeEvent.isComposing || !["Enter", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    // Where the table has not come yet, the page has the focus, whose arrows are the table's.
    event.currentTarget.blur();
    enterGrid(grid.current);
  };
  /** What is typed leaves one entry in the history, not one for every letter. */
  const field = (name: string, isTyped = false) => ({
    value: params[name] ?? "",
    onChange: ({ target }: { readonly target: { readonly value: string } }) =>
      change({ [name]: target.value, row: undefined }, isTyped && params[name] !== undefined),
  });
  return (
    <div className="filters" role="search">
      <label>
        Search ids, sources, prompts
        <input ref={search} type="search" onKeyDown={leave} {...field("q", true)} />
      </label>
      {summary.methods.length > 1 && (
        <label>
          Ranked by
          <select {...field("method")}>
            {summary.methods.map(({ label }, i) => (
              <option key={label} value={i === 0 ? "" : i}>
                {label}
              </option>
            ))}
          </select>
        </label>
      )}
      <label>
        Source
        <select {...field("source")}>
          <option value="">all</option>
          {summary.sources.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label>
        Mark
        <select {...field("flag")}>
          <option value="">all</option>
          {flagsOf(summary).map((flag) => (
            <option key={flag}>{flag}</option>
          ))}
        </select>
      </label>
      <label>
        Score from
        <input type="number" step="any" {...field("min", true)} />
      </label>
      <label>
        to
        <input type="number" step="any" {...field("max", true)} />
      </label>
      <button type="button" onClick={() => go(addressHref(["pairs"]))}>
        Clear
      </button>
    </div>
  );
}

function Confounds({
  ranking,
}: {
  readonly ranking: PartValues["rankings"][number]["ranking"] | undefined;
}): ReactNode {
  const rows = Object.entries(ranking?.confounds ?? {}).flatMap(([label, found]) =>
    found === undefined
      ? []
      : [
          {
            label,
            value: found.r,
            low: found.low,
            high: found.high,
            n: found.n,
            kind: Math.abs(found.r) >= 0.3 ? ("planted" as const) : ("plain" as const),
          },
        ],
  );
  if (rows.length === 0) return <Nothing>None could be computed.</Nothing>;
  return (
    <IntervalChart
      title="Rank correlation of the score with plain properties"
      rows={rows}
      axis="Spearman's correlation"
      domain={[-1, 1]}
      reference={0}
      show={(value) => number(value, 2)}
      counted="pairs"
    >
      What the score may follow instead of the behaviour: far from 0 (coloured from 0.3 on) it may
      be that, not the behaviour.
    </IntervalChart>
  );
}
