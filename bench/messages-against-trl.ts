/**
 * @file Random rows with tools, calls, reasoning, parts, names and documents: our token ids against those of TRL.
 *
 *   python bench/messages_trl.py SEED ROWS DIR && npx tsx bench/messages-against-trl.ts --rows DIR
 *
 * Prints how many rows have TRL's ids, how many are refused by which reason, and the ids of rows that are wrong; there must be none.
 */
import { copyFile, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { UnusableExampleError } from "../src/model/prompt-renderer-error.ts";
import { createRenderer } from "../src/model/prompt-renderer.ts";
import { openPairs } from "../src/pairs/open-pairs.ts";

const { values } = parseArgs({ options: { rows: { type: "string" } } });
if (values.rows === undefined) throw new Error("usage: see the head of this file");
const golden = fileURLToPath(new URL("../test/golden/", import.meta.url));
const expected = JSON.parse(await readFile(join(values.rows, "expected.json"), "utf8")) as Record<
  string,
  readonly (readonly number[])[]
>;
const counts = new Map<string, number>();
const count = (what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1);

for (const file of (await readdir(values.rows)).filter((name) => name.endsWith(".jsonl"))) {
  const folder = await mkdtemp(join(tmpdir(), "culprit-messages-"));
  for (const name of ["tokenizer.json", "tokenizer_config.json"]) {
    await copyFile(join(golden, "tokenizer/chatml-plain", name), join(folder, name));
  }
  const template = `${basename(file, ".jsonl")}.jinja`;
  await copyFile(join(golden, "messages/templates", template), join(folder, "chat_template.jinja"));
  const renderer = await createRenderer(folder);
  for await (const row of (await openPairs([join(values.rows, file)])).read()) {
    if (row.kind === "unusable") {
      count(row.reason);
      continue;
    }
    try {
      const { prompt, responses } = renderer.tokenize(
        row.prompt,
        [row.chosen, row.rejected],
        row.context,
      );
      const ids = [prompt, ...responses].map((each) => [...each]);
      count(
        JSON.stringify(ids) === JSON.stringify(expected[row.id]) ? "right" : `WRONG: ${row.id}`,
      );
    } catch (error) {
      if (!(error instanceof UnusableExampleError)) throw error;
      count(error.reason);
    }
  }
  await rm(folder, { recursive: true });
}
for (const [what, rows] of counts) console.log(`${what} ${rows}`);
