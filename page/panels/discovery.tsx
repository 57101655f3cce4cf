import type { ReactNode } from "react";

import type { PartValues } from "../../src/report/report-source.ts";
import { addressHref, change, go } from "../address.ts";
import { HeatMap } from "../charts/heat-map.tsx";
import { Nothing, Section } from "../components.tsx";
import { count } from "../format.ts";
import { Term } from "../glossary.tsx";
import { ClusterCard, ClusterDetails, passes } from "./discovery/cluster-card.tsx";
import { PairMap } from "./discovery/pair-map.tsx";
import { definePanel } from "./panel.ts";

export const discoveryPanel = definePanel({
  id: "discovery",
  title: "Discovery",
  parts: ["discovery"],
  isListed: (overview) => overview?.stages.some(({ id }) => id === "discover") === true,
  View: ({ parts: { discovery }, params }) => (
    <>
      <h1>What changed, without being told what to look for</h1>
      {discovery === undefined ? (
        <Nothing>Nothing was discovered yet.</Nothing>
      ) : (
        <Discovered found={discovery} params={params} />
      )}
    </>
  ),
});

function Discovered({
  found,
  params,
}: {
  readonly found: PartValues["discovery"];
  readonly params: Readonly<Record<string, string>>;
}): ReactNode {
  const { clusters, rows, columns, heat, counts, alpha } = found;
  const ordered = clusters.toSorted(
    (a, b) => (a.test?.p ?? 2) - (b.test?.p ?? 2) || b.prompts - a.prompts,
  );
  const passing = clusters.filter((each) => passes(each, alpha)).length;
  const asked = Number(params["cluster"] ?? Number.NaN);
  const selected = clusters.find(({ cluster }) => cluster === asked) ?? ordered[0];
  const select = (cluster: number): void => change({ cluster: String(cluster) });
  return (
    <>
      <p>
        {count(counts.prompts)} prompts whose answers changed, in {clusters.length}{" "}
        <Term of="cluster">clusters</Term>, held to {count(counts.tested)} pairs.{" "}
        {passing === 0 ? (
          <>
            {`None passes at ${alpha}: no change is told from M0's `}
            <Term of="own variation" />.
          </>
        ) : (
          <>
            {`${passing} pass${passing === 1 ? "es" : ""} at ${alpha} after `}
            <Term of="Holm’s correction" />, told from M0's <Term of="own variation" />.
          </>
        )}
      </p>
      <div className="sides">
        {ordered.map((each) => (
          <ClusterCard
            key={each.cluster}
            cluster={each}
            alpha={alpha}
            isSelected={each === selected}
            select={() => select(each.cluster)}
          />
        ))}
      </div>
      {selected !== undefined && (
        <Section title={`What cluster ${selected.cluster} is made of`}>
          <ClusterDetails cluster={selected} />
        </Section>
      )}
      <Section title="Prompts against pairs">
        <HeatMap
          title="Cosines of prompts and pairs"
          rows={rows}
          columns={columns}
          {...heat}
          selected={selected?.cluster}
          select={select}
          open={(id) => go(addressHref(["pair", id]))}
        >
          Each row is how a prompt's answers changed, each column a pair. Blue: going from the
          rejected to the chosen response points that way; orange: the opposite. The mark at the
          left is the selected cluster.
        </HeatMap>
      </Section>
      <Section title="Map of the pairs">
        <PairMap found={found} params={params} />
      </Section>
    </>
  );
}
