import type { ReactNode } from "react";

import type { PartValues } from "../../../src/report/report-source.ts";
import { addressHref } from "../../address.ts";
import { IntervalChart } from "../../charts/interval-chart.tsx";
import { Figure, Fold } from "../../components.tsx";
import { count, number, percent, pValue } from "../../format.ts";
import { Term } from "../../glossary.tsx";

type Cluster = PartValues["discovery"]["clusters"][number];

/** Whether a cluster is told from chance: below alpha after Holm, leaning to the pairs in both halves of the data. */
export const passes = ({ test }: Cluster, alpha: number): boolean =>
  test?.holm !== undefined && test.holm < alpha && test.agree;

/** A cluster of prompts in a few lines. */
export function ClusterCard({
  cluster: { cluster, name, prompts, stability, test, terms, ...others },
  alpha,
  isSelected,
  select,
}: {
  readonly cluster: Cluster;
  readonly alpha: number;
  readonly isSelected: boolean;
  readonly select: () => void;
}): ReactNode {
  const isPassing = passes({ cluster, name, prompts, stability, test, terms, ...others }, alpha);
  return (
    <div className="side">
      <h2>
        Cluster {cluster}: {name}
      </h2>
      <p>
        {isPassing && <span className="mark planted">passes</span>}
        {count(prompts)} prompts
        {stability !== undefined && (
          <>
            , stability{" "}
            <Figure
              tells={`the mean over clusterings of other samples, n ${prompts} prompts; no interval`}
            >
              {number(stability, 2)}
            </Figure>
          </>
        )}
      </p>
      <p>
        {test === undefined ? (
          "Too few prompts to be tested."
        ) : (
          <>
            <Term of="lean" />{" "}
            <Figure
              tells={`${test.p === undefined ? "no p" : pValue(test.p)}${test.holm === undefined ? "" : `, with Holm’s correction ${pValue(test.holm)}`}, n ${prompts} prompts: held to directions of own variation in place of an interval`}
            >
              {number(test.lean)} ({test.kind}){test.p !== undefined && `, ${pValue(test.p)}`}
              {test.holm !== undefined && `, with Holm ${pValue(test.holm)}`}
            </Figure>
          </>
        )}
      </p>
      {terms.more.length > 0 && <p>More of: {terms.more.slice(0, 6).join(", ")}</p>}
      {terms.less.length > 0 && <p>Less of: {terms.less.slice(0, 6).join(", ")}</p>}
      <button type="button" aria-pressed={isSelected} onClick={select}>
        Select
      </button>
    </div>
  );
}

/** Sources whose effects are drawn. */
const SHOWN = 25;

/** What the selected cluster is made of, and which pairs it leans to. */
export function ClusterDetails({ cluster }: { readonly cluster: Cluster }): ReactNode {
  const { typical, effects, topPairs, tags, prompts } = cluster;
  const shown = effects.slice(0, SHOWN);
  return (
    <>
      {Object.keys(tags).length > 0 && (
        <p>
          Tags:{" "}
          {Object.entries(tags).map(([tag, of], i) => (
            <span key={tag}>
              {i > 0 && ", "}
              <bdi>{tag}</bdi>{" "}
              <Figure tells={`${count(of)} of n ${count(prompts)} prompts, counted: no interval`}>
                {percent(of / prompts, 0)}
              </Figure>
            </span>
          ))}
        </p>
      )}
      {topPairs.length > 0 && (
        <p>
          <a href={addressHref(["pairs"], { ids: topPairs.map(({ id }) => id).join("\n") })}>
            The {topPairs.length} pairs that lie closest to it
          </a>
        </p>
      )}
      <h3>Typical prompts</h3>
      {typical.map(({ id, prompt, before, after }) => (
        <Fold key={id} name={id} summary={prompt}>
          <p className="role">before</p>
          <div className="turn">{before}</div>
          <p className="role">after</p>
          <div className="turn">{after}</div>
        </Fold>
      ))}
      <IntervalChart
        title="Effect of each source"
        rows={shown.map(({ source, effect, low, high, pairs }) => ({
          label: source,
          value: effect,
          low,
          high,
          n: pairs,
          kind: low !== undefined && low > 0 ? "planted" : "plain",
        }))}
        axis="mean cosine"
        reference={0}
        show={(value) => number(value)}
        counted="sampled pairs"
      >
        Mean cosine of the source's pairs with the cluster's prompts: above 0 they point the way of
        the change.
        {effects.length > SHOWN &&
          ` Of ${count(effects.length)} sources the ${SHOWN} with the largest effects.`}
      </IntervalChart>
    </>
  );
}
