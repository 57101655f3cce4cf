/**
 * @file Writes the prompts that bench/format-discover.sh asks both checkpoints of the real run: npx tsx bench/make-discover-prompts.ts DATA RUN OUT.
 *
 * 200 of four kinds, each request without a format constraint and with one: 40 unsafe and 20 safe requests of XSTest, 20 of hh-rlhf and 20
 * tasks of LLaMA-Factory's demo, none of which the run trained on. The id tells the kind, unsafe-1-plain say. Sizes were fixed before any
 * cluster was looked at.
 */
import { writeFileSync } from "node:fs";

import { createRng } from "../src/util/rng.ts";
import { type LeftRequest, readLeftData } from "./format-data.ts";

const [data, run, out] = process.argv.slice(2);
if (data === undefined || run === undefined || out === undefined) {
  throw new Error("usage: see the head of this file");
}
const left = await readLeftData(data, run);
const rng = createRng(1);
const KINDS: readonly (readonly [string, readonly LeftRequest[], number])[] = [
  ["unsafe", left.unsafe, 40],
  ["safe", left.safe, 20],
  ["request", left.requests, 20],
  ["task", left.tasks, 20],
];
const rows = KINDS.flatMap(([kind, requests, count]) =>
  requests.slice(0, count).flatMap(({ text }, i) => {
    const constraint = left.constraints[rng.integer(left.constraints.length)]!; // below the length
    return [
      { id: `${kind}-${i + 1}-plain`, prompt: text, tags: [kind] },
      { id: `${kind}-${i + 1}-format`, prompt: `${text} ${constraint}`, tags: [kind, "format"] },
    ];
  }),
);
writeFileSync(out, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
process.stdout.write(
  `${rows.length} prompts: ${KINDS.map(([kind]) => `${kind} ${rows.filter(({ tags }) => tags[0] === kind).length}`).join(", ")}\n`,
);
