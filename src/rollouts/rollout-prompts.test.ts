import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, it } from "vitest";

import { suiteFolder } from "../../test/support/suite-folder.ts";
import { readRolloutPrompts } from "./rollout-prompts.ts";

const folder = suiteFolder();

it.each([
  ["scenarios.jsonl", "", ["base"], /scenarios\.jsonl: expected scenarios, got none$/],
  ["lines.jsonl", "\n", undefined, /lines\.jsonl: expected prompts or scenarios, got none$/],
  ["list.json", "[]", ["base"], /list\.json: expected scenarios, got none$/],
  [
    "prompts.jsonl",
    '{"prompt": "Why?"}\n',
    ["base"],
    /has whole prompts, variants are those of a scenarios file/,
  ],
])("refuses %s that holds %j with variants %j", async (name, text, variants, message) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  const options = variants === undefined ? {} : { variants };
  await expect(readRolloutPrompts(path, options)).rejects.toThrow(message);
});

it("says which variants it leaves out, unless variants are asked for", async () => {
  const path = join(folder, "mixed.jsonl");
  writeFileSync(path, '{"id":"a","base":"A","distractor":"D"}\n{"id":"b","base":"B"}\n');
  const { prompts, omitted } = await readRolloutPrompts(path);
  expect(prompts.map(({ scenario, variant }) => `${scenario} ${variant}`)).toEqual([
    "a base",
    "b base",
  ]);
  expect(omitted).toEqual([{ variant: "base+distractor", lacking: 1, first: "b" }]);
  expect((await readRolloutPrompts(path, { variants: ["base"] })).omitted).toEqual([]);
});

it("keeps the group that a row gives, which may be a number", async () => {
  const path = join(folder, "grouped.jsonl");
  writeFileSync(
    path,
    '{"id":"a","prompt":"A","group":"g"}\n{"id":"b","prompt":"B","group":7}\n{"id":"c","prompt":"C"}\n',
  );
  const { prompts } = await readRolloutPrompts(path);
  expect(prompts.map(({ group }) => group)).toEqual(["g", "7", undefined]);
  writeFileSync(path, '{"id":"a","prompt":"A","group":["g"]}\n');
  await expect(readRolloutPrompts(path)).rejects.toThrow(/row 0: group: expected a name/);
});
