/**
 * @file Response pairs from XSTest's completions, to measure probes on a real checkpoint: the same prompt refused (before) and answered (after).
 *
 *   npx tsx bench/xstest-response-pairs.ts DIR OUT.jsonl
 *
 * Before is mistralguard's completion where people call it a full refusal, after mistralinstruct's where they call it full compliance.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { readRows } from "../src/pairs/readers/read-rows.ts";

const [folder, out] = process.argv.slice(2);
if (folder === undefined || out === undefined) throw new Error("usage: see the head of this file");

interface Completion {
  readonly id: string;
  readonly prompt: string;
  readonly completion: string;
  readonly final_label: string;
}

const before = await completions("mistralguard", "2_full_refusal");
const after = await completions("mistralinstruct", "1_full_compliance");
const pairs = [...after].flatMap(([id, { prompt, completion }]) => {
  const refused = before.get(id);
  return refused === undefined
    ? []
    : [{ id, prompt, before: refused.completion, after: completion }];
});
writeFileSync(out, pairs.map((pair) => `${JSON.stringify(pair)}\n`).join(""));
process.stdout.write(`${pairs.length} response pairs\n`);

async function completions(model: string, label: string): Promise<ReadonlyMap<string, Completion>> {
  const found = new Map<string, Completion>();
  for await (const row of readRows(join(folder!, `xstest_v2_completions_${model}.csv`))) {
    if (row.kind === "broken") throw new Error(row.detail);
    const fields = row.fields as unknown as Completion; // the columns of the published file
    if (fields.final_label === label) found.set(fields.id, fields);
  }
  return found;
}
