/**
 * @file What kinds of prompts the clusters of a discovery hold, by ids as bench/make-discover-prompts.ts gives them:
 *
 *   npx tsx bench/discovered-kinds.ts FOUND.json [--pick]
 *
 * Prints a row for each cluster. With --pick prints nothing but the number of the cluster to go on with: of those that pass the one with the
 * smallest p, else of all the one with the smallest p, and of equals the larger one. No label takes part in that choice.
 */
import { DISCOVERY } from "../src/discovery/discovery-file.ts";
import { passes } from "../src/verbs/show/discovery.ts";

const [path = "", flag] = process.argv.slice(2);
const { clusters, rows, counts, alpha } = await DISCOVERY.read(path);
const say = (line: string): void => void process.stdout.write(`${line}\n`);
if (flag === "--pick") {
  const inOrder = clusters.toSorted(
    (a, b) =>
      Number(passes(b, alpha)) - Number(passes(a, alpha)) ||
      (a.test?.p ?? 2) - (b.test?.p ?? 2) ||
      b.prompts - a.prompts,
  );
  say(`${inOrder[0]?.cluster ?? ""}`);
} else {
  say(`${counts.prompts} prompts changed`);
  const kindOf = (id: string): string => id.replace(/-\d+-(plain|format)(\/.*)?$/, " $1");
  const kinds = [...new Set(rows.ids.map(kindOf))].toSorted();
  say(["cluster", "prompts", "passes", "lean", "p", "Holm", ...kinds].join(" | "));
  for (const { cluster, prompts, test, ...rest } of clusters) {
    const own = rows.ids.filter((_, i) => rows.clusters[i] === cluster).map(kindOf);
    const cells = [
      cluster,
      prompts,
      passes({ cluster, prompts, test, ...rest }, alpha) ? "yes" : "no",
      test?.lean.toFixed(3) ?? "-",
      test?.p?.toFixed(4) ?? "-",
      test?.holm?.toFixed(4) ?? "-",
      ...kinds.map((kind) => own.filter((each) => each === kind).length),
    ];
    say(cells.join(" | "));
  }
}
