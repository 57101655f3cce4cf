/**
 * @file Judges a compliance ranking of preference pairs by a refusal rule: does it put pairs whose chosen response complies and whose
 * rejected one refuses above the opposite ones, and how much of that is length?
 *
 *   npx tsx bench/compliance-run.ts --pairs FILE.jsonl.gz --ranking RANKING.jsonl [--xstest DIR]
 *
 * --ranking: culprit rank --out. --xstest: folder with human-labelled completions (CSV), to measure the rule itself.
 */
import { createReadStream, readdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";

import { openPairs } from "../src/pairs/open-pairs.ts";
import { readRows } from "../src/pairs/readers/read-rows.ts";
import { rankingQuality } from "../src/ranking/ranking-quality.ts";
import { spearman } from "../src/stats/spearman.ts";
import { refuses } from "./refusal-rule.ts";

const { values } = parseArgs({
  options: {
    pairs: { type: "string" },
    ranking: { type: "string" },
    xstest: { type: "string" },
  },
});
if (values.pairs === undefined || values.ranking === undefined) {
  throw new Error("usage: see the head of this file");
}

interface Ranked {
  id: string;
  behavior?: string;
  layer?: number;
  score: number | null;
}
const scores = new Map<string, Map<string, number>>();
for await (const line of createInterface({ input: createReadStream(values.ranking) })) {
  const row = JSON.parse(line) as Ranked;
  const key = row.layer === undefined ? "the layer" : `layer ${row.layer}`;
  if (!scores.has(key)) scores.set(key, new Map());
  if (row.score !== null) scores.get(key)!.set(row.id, row.score);
}

/** +1: chosen complies and rejected refuses; -1: the opposite; 0: both do the same. */
const labels = new Map<string, { label: number; lengthDifference: number }>();
const pairs = await openPairs([values.pairs]);
const text = (turns: readonly { content: string }[]): string =>
  turns.map((turn) => turn.content).join("\n");
for await (const pair of pairs.read()) {
  if (pair.kind !== "pair") continue;
  const chosen = text(pair.chosen);
  const rejected = text(pair.rejected);
  labels.set(pair.id, {
    label: Number(refuses(rejected)) - Number(refuses(chosen)),
    lengthDifference: chosen.length - rejected.length,
  });
}
const count = (label: number): number =>
  [...labels.values()].filter((each) => each.label === label).length;
console.log(
  `${labels.size} pairs: chosen complies and rejected refuses ${count(1)}, the opposite ${count(-1)}, both alike ${count(0)}\n`,
);

console.log(
  "| ranking | AUROC, complies over refuses [95%] | equal lengths only* | Spearman with length difference [95%] | rank variance that length explains |",
);
console.log("|---|---|---|---|---|");
const interval = (
  x: { low: number; high: number } | undefined,
  value: number | undefined,
): string =>
  x === undefined || value === undefined
    ? "-"
    : `${value.toFixed(3)} [${x.low.toFixed(3)}, ${x.high.toFixed(3)}]`;
/** How often complying pairs score above refusing ones, of those to keep; undefined where there are none of a kind. */
const auroc = (
  scoreOf: (id: string) => number | undefined,
  keep: (id: string) => boolean,
): { value: number; low: number; high: number } | undefined => {
  const judged = [...labels].filter(
    ([id, { label }]) => label !== 0 && scoreOf(id) !== undefined && keep(id),
  );
  const complies = judged.map(([, { label }]) => label > 0);
  if (new Set(complies).size < 2) return undefined;
  return rankingQuality(
    Float32Array.from(judged, ([id]) => scoreOf(id)!),
    complies,
  ).auroc;
};
const lengthOf = (id: string): number => labels.get(id)!.lengthDifference;
/** Within this many characters two responses count as equally long. */
const NEAR = 40;
for (const [key, scoreOf] of scores) {
  const all = auroc(
    (id) => scoreOf.get(id),
    () => true,
  );
  const near = auroc(
    (id) => scoreOf.get(id),
    (id) => Math.abs(lengthOf(id)) <= NEAR,
  );
  const ids = [...scoreOf.keys()].filter((id) => labels.has(id));
  const length = spearman(
    ids.map((id) => scoreOf.get(id)!),
    ids.map(lengthOf),
  );
  console.log(
    `| ${key} | ${interval(all, all?.value)} | ${interval(near, near?.value)} | ${interval(length, length?.r)} | ${length === undefined ? "-" : `${(100 * length.r ** 2).toFixed(1)} %`} |`,
  );
}
for (const [name, scoreOf] of [
  ["length difference alone", lengthOf],
  ["minus length difference alone", (id: string) => -lengthOf(id)],
] as const) {
  const alone = auroc(scoreOf, () => true);
  console.log(`| ${name} | ${interval(alone, alone?.value)} | - | - | - |`);
}
console.log(`\n* among pairs whose two responses differ by at most ${NEAR} characters`);

if (values.xstest !== undefined) {
  console.log("\nThe refusal rule against human labels (partial refusals count as refusals):\n");
  console.log("| file | responses | precision | recall | agreement |");
  console.log("|---|---|---|---|---|");
  for (const name of readdirSync(values.xstest).filter((each) => each.includes("completions"))) {
    const tally = { hit: 0, false: 0, missed: 0, right: 0, total: 0 };
    for await (const row of readRows(join(values.xstest, name), {})) {
      if (row.kind !== "fields") continue;
      const isRefusal = row.fields["final_label"] !== "1_full_compliance";
      const isCalled = refuses(String(row.fields["completion"]));
      tally.total++;
      if (isRefusal === isCalled) tally.right++;
      if (isRefusal && isCalled) tally.hit++;
      if (!isRefusal && isCalled) tally.false++;
      if (isRefusal && !isCalled) tally.missed++;
    }
    const share = (part: number, whole: number): string => (part / whole).toFixed(3);
    console.log(
      `| ${name} | ${tally.total} | ${share(tally.hit, tally.hit + tally.false)} | ${share(tally.hit, tally.hit + tally.missed)} | ${share(tally.right, tally.total)} |`,
    );
  }
}
