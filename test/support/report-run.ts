import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { readExperiment } from "../../src/experiment/read-experiment.ts";
import { runExperiment } from "../../src/experiment/run-experiment.ts";
import { jsonLines } from "./data-files.ts";
import { makeMiniatureExperiment } from "./miniature-experiment.ts";

/** Text that would do something if it were read as anything but text. */
export const HOSTILE = [
  "<img src=x onerror='window.pwned=1'>",
  "</script><script>window.pwned=2</script>",
  "<!-- <script> ${window.pwned=3} --> \u2028 `",
  "javascript:window.pwned=4",
  "‮ right to left \u0000 and a very long word ".concat("w".repeat(90)),
] as const;

/**
 * A whole run of the miniature experiment whose pairs and scenarios hold hostile text, ranked by three methods. `secret` stands in the prompt of
 * `pair-1`, where a report must not show it.
 */
export async function makeReportRun(folder: string, secret: string): Promise<string> {
  const path = await makeMiniatureExperiment(folder, {
    rank: "{ nulls: [drift, unrelated.jsonl], methods: [{ name: probe }, { name: probe, scorer: bank-max, as: bank }, { name: length }] }",
  });
  await spoil(join(folder, "pairs.jsonl"), ["prompt", "chosen", "rejected", "source"]);
  await repeat(join(folder, "pairs.jsonl"));
  await plant(join(folder, "pairs.jsonl"), secret);
  await spoil(join(folder, "probe.jsonl"), ["base"]);
  const out = join(folder, "run");
  await runExperiment(await readExperiment(path), { out });
  return out;
}

/** Makes the pairs `pair-40` and `pair-41` say the same, and the sides of `pair-42` nearly. */
async function repeat(file: string): Promise<void> {
  const rows = await readRows(file);
  const [one, other, near] = rows.slice(40, 43);
  Object.assign(other!, { prompt: one!["prompt"], chosen: one!["chosen"] });
  Object.assign(other!, { rejected: one!["rejected"] });
  const words = Array.from({ length: 24 }, (_, i) => `word${i}`);
  Object.assign(near!, { chosen: words.join(" "), rejected: [...words, "more"].join(" ") });
  await writeFile(file, jsonLines(rows));
}

async function plant(file: string, secret: string): Promise<void> {
  const rows = await readRows(file);
  rows[1]!["prompt"] = `${String(rows[1]!["prompt"])} My key is ${secret}, please`;
  await writeFile(file, jsonLines(rows));
}

const readRows = async (file: string): Promise<Record<string, unknown>[]> =>
  (await readFile(file, "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** Puts hostile text before what stands in some members of the first rows. */
async function spoil(file: string, members: readonly string[]): Promise<void> {
  const rows = await readRows(file);
  for (const [i, row] of rows.slice(0, 20).entries()) {
    const text = HOSTILE[i % HOSTILE.length]!;
    for (const name of members) {
      row[name] = name === "source" ? text.slice(0, 40) : `${text} ${String(row[name])}`;
    }
  }
  await writeFile(file, jsonLines(rows));
}
