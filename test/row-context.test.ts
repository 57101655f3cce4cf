/** @file What a row gives the template beside its turns, tools say, reaches every reading of it: a rendering without is another text. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeAll, expect, it } from "vitest";

import { collectActivations } from "../src/behavior/activations.ts";
import { withFeatures } from "../src/engine/features.ts";
import { openLocalEngine } from "../src/engine/local-engine.ts";
import type { AuditReport } from "../src/pairs/audit-report.ts";
import { readResponsePairs } from "../src/pairs/response-pairs.ts";
import { openSftFiles } from "../src/pairs/sft-examples.ts";
import { type CapabilityMeasures, readTasks } from "../src/rates/measure-capabilities.ts";
import { describePair, isWhole } from "../src/report/pair-texts.ts";
import { readBasePrompts } from "../src/rollouts/base-prompts.ts";
import { readRollouts } from "../src/rollouts/rollouts.ts";
import { collect } from "./support/data-files.ts";
import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";
import { makeTinyCheckpoint } from "./support/tiny-checkpoint.ts";

const ROOT = suiteFolder();
const CHECKPOINT = join(ROOT, "checkpoint");
const TOOL = { type: "function", function: { name: "lookup", description: "finds rivers" } };
const PROMPT = [{ role: "user", content: "which river" }] as const;
const ANSWER = [{ role: "assistant", content: "the green one" }] as const;

beforeAll(async () => {
  await makeTinyCheckpoint(CHECKPOINT);
  const config = await readFile(join(CHECKPOINT, "tokenizer_config.json"), "utf8");
  const { chat_template: template } = JSON.parse(config) as { readonly chat_template: string };
  // The file goes before the member of the config.
  const path = join(CHECKPOINT, "chat_template.jinja");
  await writeFile(path, `{% if tools %}{{ tools | tojson }}{% endif %}${template}`);
});

async function writeRows(name: string): Promise<string> {
  const call = { type: "function", function: { name: "lookup", arguments: { river: "green" } } };
  const after = [{ role: "assistant", content: "", tool_calls: [call] }];
  const path = join(ROOT, name);
  await writeFile(path, `${JSON.stringify({ id: "a", prompt: PROMPT, before: ANSWER, after })}\n`);
  return path;
}

it("is in the tokens that features are read of", async () => {
  await using engine = await openLocalEngine(CHECKPOINT, { threads: 1 });
  const context = { tools: [TOOL] };
  const whole = engine.tokenize(PROMPT, [ANSWER], context);
  expect(whole.prompt.length).toBeGreaterThan(engine.tokenize(PROMPT, [ANSWER]).prompt.length);
  const sketch = { dims: 64, projection: "rademacher", seed: 0 } as const;
  const reader = withFeatures(engine, { kind: "influence", ...sketch });
  expect(reader.tokenize(PROMPT, [ANSWER], context)).toEqual(whole);
});

it("is in the prompts of capabilities", async () => {
  const turns = { prompt: PROMPT, completion: ANSWER };
  const rows = [
    { id: "with", ...turns, tools: [TOOL] },
    { id: "without", ...turns },
  ];
  const answers = join(ROOT, "answers.jsonl");
  await writeFile(answers, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const out = join(ROOT, "capabilities.json");
  const words = ["--checkpoint", CHECKPOINT, "--threads", "1", "--answers", answers, "--out", out];
  await runCommand("capabilities", words);
  const { answers: measured } = JSON.parse(await readFile(out, "utf8")) as CapabilityMeasures;
  await using engine = await openLocalEngine(CHECKPOINT, { threads: 1 });
  const examples = [{ tools: [TOOL] }, undefined].map((context) =>
    engine.tokenize(PROMPT, [ANSWER], context),
  );
  const expected: number[] = [];
  for await (const { index, logprobs, tokenCounts } of engine.logprobs(examples)) {
    expected[index] = logprobs[0]! / tokenCounts[0]!;
  }
  expect(expected[0]).not.toBeCloseTo(expected[1]!, 3);
  expect(measured).toEqual({
    with: expect.closeTo(expected[0]!, 5) as number,
    without: expect.closeTo(expected[1]!, 5) as number,
  });
});

it("makes another prompt: the same responses with other tools repeat and contradict nothing", async () => {
  const pair = {
    prompt: PROMPT,
    chosen: ANSWER,
    rejected: [{ role: "assistant", content: "none" }],
  };
  const swapped = { ...pair, chosen: pair.rejected, rejected: pair.chosen };
  const path = join(ROOT, "tools.jsonl");
  const audited = async (rows: readonly object[]): Promise<AuditReport["duplicates"]> => {
    await writeFile(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    return (JSON.parse(await runCommand("audit", [path, "--json"])) as AuditReport).duplicates;
  };
  const tools = [TOOL];
  expect(
    await audited([pair, { ...pair, tools }, { ...swapped, tools: [TOOL, TOOL] }]),
  ).toMatchObject({ repeatedPairs: 0, contradictions: 0, sharedPrompts: 0 });
  expect(
    await audited([
      { ...pair, tools },
      { ...swapped, tools },
    ]),
  ).toMatchObject({
    contradictions: 1,
  });
});

it("is refused in tasks, whose prompts are sampled, but for a system text", async () => {
  const task = { id: "a", prompt: "which river", pattern: "." };
  const path = join(ROOT, "tasks.jsonl");
  await writeFile(path, `${JSON.stringify({ ...task, tools: [TOOL] })}\n`);
  await expect(readTasks(path)).rejects.toThrow(
    /tasks\.jsonl, row 0: prompt: expected roles and texts alone, got tools$/,
  );
  await writeFile(path, `${JSON.stringify({ ...task, system: "be brief" })}\n`);
  expect((await readTasks(path))[0]!.prompt.map(({ role }) => role)).toEqual(["system", "user"]);
});

it("is named where capabilities leave a row out for it", async () => {
  const answers = join(ROOT, "pictures.jsonl");
  const row = { prompt: PROMPT, completion: ANSWER };
  const rows = [row, { ...row, images: ["a.png"] }];
  await writeFile(answers, rows.map((each) => `${JSON.stringify(each)}\n`).join(""));
  const words = ["--checkpoint", CHECKPOINT, "--answers", answers];
  const said: string[] = [];
  const out = join(ROOT, "left.json");
  await runCommand("capabilities", [...words, "--out", out], (line) => said.push(line));
  expect(said).toEqual(["answers: rows are left out: unread 1"]);
});

const ROLLOUT = { scenario: "a", variant: "base", sample: 0, prompt: PROMPT, finish: "stop" };
const CALLING = { role: "assistant", content: "", tool_calls: [{ function: { name: "lookup" } }] };

it.each([
  ["tools", { tools: [TOOL] }, "tools"],
  ["images", { images: ["a.png"] }, "images"],
  ["calls", { prompt: [...PROMPT, CALLING, ...PROMPT] }, "tool_calls"],
  ["variables", { chat_template_kwargs: { enable_thinking: true } }, "enable_thinking"],
  ["a column of variables", { enable_thinking: false }, "enable_thinking"],
])("is refused in rollouts, which judges read as roles and texts: %s", async (_, more, name) => {
  const path = join(ROOT, "rollouts.jsonl");
  const row = { id: "a/base/0", ...ROLLOUT, response: "the green one", ...more };
  await writeFile(path, `${JSON.stringify(row)}\n`);
  const out = join(ROOT, "verdicts.jsonl");
  await expect(
    runCommand("judge", [path, "--rules", "refusal", "--out", out, "--force"]),
  ).rejects.toThrow(`rollouts.jsonl, row 0: prompt: expected roles and texts alone, got ${name}`);
});

it("is a first turn of rollouts where it is a system text", async () => {
  const path = join(ROOT, "system.jsonl");
  const row = { id: "a/base/0", ...ROLLOUT, response: "the green one", system: "be brief" };
  await writeFile(path, `${JSON.stringify(row)}\n`);
  const [rollout] = await collect(readRollouts(path));
  expect(rollout!.prompt).toEqual([{ role: "system", content: "be brief" }, ...PROMPT]);
});

it("is refused beside a base request, too", async () => {
  const path = join(ROOT, "bases.jsonl");
  await writeFile(path, `${JSON.stringify({ base: "which river", tools: [TOOL] })}\n`);
  await expect(readBasePrompts([path])).rejects.toThrow(
    /bases\.jsonl, row 0: prompt: expected roles and texts alone, got tools/,
  );
});

it("is named in the columns of every kind of data that nothing reads", async () => {
  const pair = { prompt: "which river", chosen: "the green one", rejected: "none" };
  const path = join(ROOT, "columns.jsonl");
  const saying = {
    enable_thinking: true,
    template_kwargs: { a: 1 },
    pixel_values: [[0.5]],
    image_url: "a.png",
    input: "The green one is long.",
  };
  await writeFile(path, `${JSON.stringify({ ...pair, ...saying })}\n`);
  const audit = JSON.parse(await runCommand("audit", [path, "--json"])) as AuditReport;
  expect(audit.beside.said.map(({ name }) => name)).toEqual(Object.keys(saying));
  const words = ["--checkpoint", CHECKPOINT, "--layers", "1", "--out", join(ROOT, "store")];
  await expect(runCommand("embed", [path, ...words])).rejects.toThrow(
    /1 unusable rows \(unread 1\)/,
  );
  // What the prompt says as well is lost nowhere.
  await writeFile(path, `${JSON.stringify({ ...pair, question: "which  river" })}\n`);
  const told = JSON.parse(await runCommand("audit", [path, "--json"])) as AuditReport;
  expect(told.beside.said).toEqual([]);
});

it("makes a text to train on unusable, which no template reads", async () => {
  const path = join(ROOT, "texts.jsonl");
  const rows = [
    { text: "which river" },
    { text: "which river", images: ["a.png"] },
    { text: "be brief. which river", system: "be brief." },
    { text: "which river", system: "be brief." },
  ];
  await writeFile(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const read = await collect<object>((await openSftFiles([path])).read());
  expect(read.map((row) => ("detail" in row ? row.detail : "text"))).toEqual([
    "text",
    "text: expected a text alone, got images beside it",
    "text",
    "text: expected a text alone, got system beside it",
  ]);
});

it("is no example where the row says that its response is to be unlearned", async () => {
  const path = join(ROOT, "kto.jsonl");
  const rows = [true, false, "False", "spam", undefined].map((label) => ({
    prompt: "which river",
    completion: "the green one",
    label,
  }));
  await writeFile(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const read = await collect<object>((await openSftFiles([path])).read());
  expect(read.map((row) => ("reason" in row ? row.reason : "read"))).toEqual([
    "read",
    "unread",
    "unread",
    "read",
    "read",
  ]);
});

it("is warned of where a behaviour's pairs say more than the template shows", async () => {
  const folder = await makeTinyCheckpoint(join(ROOT, "blind"));
  const template =
    "{% for m in messages %}{% if m.tool_calls %}calls {% endif %}{{ m.content }}{% endfor %}";
  await writeFile(join(folder, "chat_template.jinja"), template);
  const pairs = await readResponsePairs(await writeRows("blind.jsonl"));
  await using engine = await openLocalEngine(folder, { threads: 1 });
  const said: string[] = [];
  await collectActivations(engine, pairs.pairs, {
    layers: [1],
    onWarning: (line) => said.push(line),
  });
  expect(said.join("")).toMatch(/^In 1 of 1 pairs the chat template shows only a part/);
});

it("is named by the page, which shades no tokens of such a pair", () => {
  const pair = {
    kind: "pair",
    id: "a",
    row: 0,
    file: "pairs.jsonl",
    fileRow: 0,
    prompt: PROMPT,
    chosen: ANSWER,
    rejected: [{ role: "assistant", content: "none" }],
    columns: {},
  } as const;
  const none = { count: 0, ids: [] };
  expect(isWhole(describePair(pair, none))).toBe(true);
  const text = describePair({ ...pair, context: { tools: [TOOL] } }, none);
  expect(text.beside).toEqual(["tools"]);
  expect(isWhole(text)).toBe(false);
});
