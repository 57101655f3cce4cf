/** @file What is read otherwise than transformers or TRL read it, or left out, is said: nobody finds it in the numbers. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { readUnapplied } from "../src/model/generation-config.ts";
import { createRenderer } from "../src/model/prompt-renderer.ts";
import type { AuditReport } from "../src/pairs/audit-report.ts";
import { readBasePrompts } from "../src/rollouts/base-prompts.ts";
import { ConfigError } from "../src/util/errors.ts";
import { expectFailure } from "./support/errors.ts";
import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";
import { makeTinyCheckpoint } from "./support/tiny-checkpoint.ts";

const ROOT = suiteFolder();
let files = 0;

async function write(name: string, content: string): Promise<string> {
  const path = join(ROOT, name);
  await writeFile(path, content);
  return path;
}

async function auditRows(rows: readonly object[], ...words: string[]): Promise<AuditReport> {
  const lines = rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  const path = await write(`rows-${files++}.jsonl`, lines);
  return JSON.parse(await runCommand("audit", [path, "--json", ...words])) as AuditReport;
}

describe("a checkpoint", () => {
  it("that writes today's date, or knows no lists of parts, once each", async () => {
    const folder = await makeTinyCheckpoint(join(ROOT, "dated"));
    const template = "{{ strftime_now('%Y') }}{% for m in messages %}{{ m.content }}{% endfor %}";
    await writeFile(join(folder, "chat_template.jinja"), template);
    const said: string[] = [];
    const renderer = await createRenderer(folder, { onWarning: (line) => said.push(line) });
    const parts = [
      { type: "text", text: "which " },
      { type: "text", text: "river" },
    ];
    const prompt = [
      { role: "user", content: "which river", whole: { role: "user", content: parts } },
    ] as const;
    for (const content of ["green", "blue"]) {
      renderer.tokenize(prompt, [[{ role: "assistant", content }]]);
    }
    expect(said.map((line) => line.replace(/^.*chat_template\.jinja /, ""))).toEqual([
      expect.stringMatching(/^writes today's date: here it is always 26 July 2024/),
      expect.stringMatching(/^knows no lists of text parts: their texts are joined here/),
    ]);
  });

  it("that asks of sampling what is not done", async () => {
    const folder = await makeTinyCheckpoint(join(ROOT, "repeating"));
    const path = join(folder, "generation_config.json");
    const inert = { no_repeat_ngram_size: 0, num_beams: 1, bad_words_ids: null, temperature: 0.6 };
    await writeFile(path, JSON.stringify(inert));
    expect(await readUnapplied(folder)).toEqual([]);
    const asks = { ...inert, repetition_penalty: 1.5, suppress_tokens: [10, 11] };
    await writeFile(path, JSON.stringify(asks));
    expect(await readUnapplied(folder)).toEqual([
      "repetition_penalty 1.5",
      "suppress_tokens [10,11]",
    ]);
    const prompts = await write("prompts.jsonl", '{"id": "a", "prompt": "which river"}\n');
    const said: string[] = [];
    const words = ["--checkpoint", folder, "--rollouts", "1", "--max-tokens", "2"];
    await runCommand(
      "generate",
      [prompts, ...words, "--out", join(ROOT, "sampled.jsonl")],
      (line) => said.push(line),
    );
    expect(said.join("\n")).toContain("asks for repetition_penalty 1.5, suppress_tokens [10,11]");
  });
});

describe("rows", () => {
  it("of text, around which TRL puts no template", async () => {
    const folder = await makeTinyCheckpoint(join(ROOT, "plain"));
    const row = { prompt: "which river", chosen: "green", rejected: "none" };
    const { warnings } = await auditRows([row], "--checkpoint", folder);
    expect(warnings.join()).toMatch(/the chat template is put around them\. TRL trains .* without/);
    const raw = await auditRows([row], "--checkpoint", folder, "--template", "raw");
    expect(raw.warnings.join()).not.toMatch(/put around/);
  });

  it("with an id that was taken, other than rows that repeat a pair", async () => {
    const row = { id: "x", prompt: "a", chosen: "b", rejected: "c" };
    const { duplicates, warnings } = await auditRows([row, { ...row, prompt: "d" }]);
    expect(duplicates).toMatchObject({ repeatedIds: 1, repeatedPairs: 0 });
    expect(warnings.join()).toMatch(/^1 rows have an id that an earlier row has/);
    const { id: _, ...nameless } = row;
    const repeated = await auditRows([nameless, nameless]);
    expect(repeated.duplicates).toMatchObject({ repeatedIds: 0, repeatedPairs: 1 });
  });

  it("with half of a character, which are not used", async () => {
    const row = { prompt: "a", chosen: "b", rejected: "c" };
    const { usable, unusableExamples } = await auditRows([row, { ...row, chosen: "b \ud83d" }]);
    expect(usable).toBe(1);
    expect(unusableExamples[0]!.detail).toBe(
      "chosen: expected text, got half of a character (a lone surrogate) at place 2",
    );
  });

  it.each([
    [
      { prompt: "a", chosen: 1, rejected: 2 },
      /"chosen" \(a number\), "rejected" \(a number\)/,
      /^Known/,
    ],
    [
      { question: "a", chosen: "b", rejected: "c" },
      /"question" \(text\)/,
      /^Rename "question" to prompt\?/,
    ],
    [
      { prompt: { 0: "a" }, chosen: { 0: "b" } },
      /"prompt" \(an object\)/,
      /orient="records", lines=True/,
    ],
  ])("of no shape, with what they hold and what may be meant: %j", async (row, message, hint) => {
    const error = await expectFailure(auditRows([row]), ConfigError);
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
  });
});

it("lines of a request file that are comments, which are counted", async () => {
  const path = await write("requests.txt", "# mine\nwhich river\n#1 in the list\n// todo\n");
  expect(await readBasePrompts([path])).toMatchObject({
    prompts: [{ text: "which river" }, { text: "#1 in the list" }],
    skipped: { comment: 2 },
  });
  expect(await readFile(path, "utf8")).toContain("todo");
});
