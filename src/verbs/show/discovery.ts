import type { DiscoveredCluster, Discovery } from "../../discovery/discovery-file.ts";
import { percent, pValue, signed, withInterval } from "../../util/figures.ts";
import { type Lines, printable, tableOf, textOf } from "../../util/text-table.ts";

const P_DECIMALS = 4;
/** Terms, sources and pairs printed of a cluster; the JSON has more. */
const SHOWN = { terms: 5, sources: 6, pairs: 5 } as const;

/** Whether a cluster is told from chance: below alpha after Holm, leaning to the pairs in both halves of the data. */
export const passes = ({ test }: DiscoveredCluster, alpha: number): boolean =>
  test?.holm !== undefined && test.holm < alpha && test.agree;

/** What `culprit discover` prints. */
export function formatDiscovery(found: Discovery): string {
  const { counts, rows, columns, clusters, alpha } = found;
  const ordered = clusters.toSorted(
    (a, b) => (a.test?.p ?? 2) - (b.test?.p ?? 2) || b.prompts - a.prompts,
  );
  const passing = ordered.filter((each) => passes(each, alpha));
  return textOf(
    `${counts.prompts} prompts changed (${counts.unchanged} did not), ${clusters.length} clusters by ${found.linkage} linkage at layer ${found.layers.join(", ")}${silhouetteOf(rows.tree)}`,
    `${counts.pairs} pairs in ${columns.assigned.length} clusters (${columns.assigned.map(({ pairs }) => pairs).join(", ")}); ${counts.tested} of them tested, null of ${counts.variation} prompts at which M0's own samples differ`,
    "",
    clusterRows(ordered),
    "",
    passing.length === 0
      ? `no cluster passes: at ${alpha} after Holm, none leans to the pairs further than M0's own variation`
      : `${passing.length} of ${clusters.length} clusters ${passing.length === 1 ? "passes" : "pass"} at ${alpha} after Holm: ${passing.map(({ cluster }) => cluster).join(", ")}`,
    (passing.length > 0 ? passing : ordered.slice(0, 1)).map(clusterSection),
  );
}

const silhouetteOf = ({ tried }: Discovery["rows"]["tree"]): string =>
  tried[0] === undefined ? "" : ` (mean silhouette ${tried[0].silhouette.toFixed(3)})`;

const clusterRows = (clusters: readonly DiscoveredCluster[]): string[] =>
  tableOf(clusters, [
    ["cluster", ({ cluster }) => cluster],
    ["prompts", ({ prompts, groups }) => (groups < prompts ? `${prompts} (${groups})` : prompts)],
    ["stability", ({ stability }) => stability?.toFixed(2)],
    ["lean", ({ test }) => test && `${signed(test.lean)} ${test.kind}`],
    ["p", ({ test }) => test?.p && pValue(test.p, P_DECIMALS)],
    ["Holm", ({ test }) => test?.holm && pValue(test.holm, P_DECIMALS)],
    ["halves", ({ test }) => test?.halves.map(signed).join(" ")],
    ["more of", ({ terms }) => printable(terms.more.slice(0, SHOWN.terms).join(", "))],
    ["less of", ({ terms }) => printable(terms.less.slice(0, SHOWN.terms).join(", "))],
  ]);

function clusterSection(cluster: DiscoveredCluster): Lines {
  const { effects, topPairs, typical, tags } = cluster;
  const named = Object.entries(tags).map(
    ([tag, count]) => `${printable(tag)} ${percent(count / cluster.prompts)}`,
  );
  return [
    "",
    `cluster ${cluster.cluster}: ${printable(cluster.name)}`,
    named.length > 0 && `tags: ${named.join(", ")}`,
    typical.map(({ prompt, before, after }) => [
      `  prompt ${printable(prompt)}`,
      `  before ${printable(before)}`,
      `  after  ${printable(after)}`,
    ]),
    effects.length > 0 &&
      tableOf(effects.slice(0, SHOWN.sources), [
        ["source", ({ source }) => printable(source)],
        ["pairs", ({ pairs }) => pairs],
        ["mean cosine [95%]", ({ effect, ...interval }) => withInterval(effect, interval, signed)],
      ]),
    `top pairs: ${topPairs
      .slice(0, SHOWN.pairs)
      .map(({ id, cosine }) => `${printable(id)} ${cosine.toFixed(2)}`)
      .join(", ")}`,
  ];
}
