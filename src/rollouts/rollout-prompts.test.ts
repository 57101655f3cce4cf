import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

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

describe("preference pairs", () => {
  const read = async (rows: readonly object[]): Promise<readonly unknown[]> => {
    const path = join(folder, "pairs.jsonl");
    writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    const { prompts, kind, promptless } = await readRolloutPrompts(path);
    return [kind, prompts.map(({ prompt }) => prompt), promptless];
  };
  const user = (content: string): object => ({ role: "user", content });
  const assistant = (content: string): object => ({ role: "assistant", content });
  const asked = [user("Why?"), assistant("So."), user("Really?")];
  const talk = "\n\nHuman: Why?\n\nAssistant: So.\n\nHuman: Really?\n\nAssistant:";

  it.each([
    ["hh-rlhf", { chosen: `${talk} Yes.`, rejected: `${talk} No.` }],
    ["hh-rlhf with a prompt", { prompt: talk, chosen: " Yes.", rejected: " No." }],
    [
      "implicit-prompt",
      { chosen: [...asked, assistant("Yes.")], rejected: [...asked, assistant("No.")] },
    ],
    [
      "olmo-mix",
      {
        prompt: "Really?",
        chosen: [...asked, assistant("Yes.")],
        rejected: [...asked, assistant("No.")],
      },
    ],
    ["sharegpt", { conversations: asked, chosen: assistant("Yes."), rejected: assistant("No.") }],
    ["trl-conversational", { prompt: asked, chosen: [assistant("Yes.")], rejected: "No." }],
  ])("are asked what both sides begin with: %s", async (_, row) => {
    expect(await read([row])).toEqual(["pairs", [asked], undefined]);
  });

  it("are left out and counted where they have no prompt, unless none has one", async () => {
    const whole = { chosen: `${talk} Yes.`, rejected: `${talk} No.` };
    const broken = { chosen: "Yes.", rejected: "No." };
    const [, prompts, promptless] = await read([whole, broken, broken]);
    expect(prompts).toEqual([asked]);
    expect(promptless).toEqual({
      rows: 2,
      first: { row: 1, detail: "expected a pair of a known shape" },
    });
    await expect(read([broken])).rejects.toThrow(
      /expected pairs with a prompt, got none of 1; row 0: expected a pair of a known shape/,
    );
  });

  it("with a prompt text alone count whatever their sides are", async () => {
    expect(await read([{ prompt: "Why?", chosen: "So.", rejected: null }])).toEqual([
      "pairs",
      [[user("Why?")]],
      undefined,
    ]);
  });
});
