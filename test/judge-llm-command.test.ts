/** @file `culprit judge --rubric`, as users run it, killed runs included. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { parseArguments } from "../src/cli/arguments.ts";
import { readVerdicts } from "../src/judge/verdict.ts";
import { startFakeEndpoint } from "./support/fake-endpoint.ts";
import { killWhilePaying } from "./support/kill-while-paying.ts";
import { runCli } from "./support/run-cli.ts";
import { commandNamed, runCommand, silentContext } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";

const folder = suiteFolder();
const path = (name: string): string => join(folder, name);

function writeRollouts(name: string, count: number): string {
  const lines = Array.from({ length: count }, (_, i) =>
    JSON.stringify({
      id: `s${i}/base/0`,
      scenario: `s${i}`,
      variant: "base",
      sample: 0,
      prompt: [{ role: "user", content: `Question ${i}` }],
      response: i % 4 === 0 ? `yes ${i}` : `no ${i}`,
      finish: "stop",
      tokens: 2,
    }),
  );
  writeFileSync(path(name), `${lines.join("\n")}\n`);
  return path(name);
}

const llmFlags = (url: string): string[] => ["--rubric", "harm", "--base-url", url, "--model", "m"];

describe("culprit judge --rubric", () => {
  it("writes verdicts and prints what they took", async () => {
    await using server = await startFakeEndpoint();
    const rollouts = writeRollouts("r.jsonl", 12);
    const flags = [...llmFlags(server.url), "--price-in", "1", "--price-out", "2"];
    const estimate = await runCommand("judge", [rollouts, ...flags, "--dry-run"]);
    expect(estimate).toMatch(/^12 rollouts: 12 requests, 0 in the cache/);
    expect(estimate).toMatch(/\nabout 0\.0\d+ at most/);
    expect(server.counts.requests).toBe(0);
    await runCommand("judge", [rollouts, ...flags, "--dry-run", "--out", path("dry.jsonl")]);
    expect(existsSync(path("dry.jsonl.answers.jsonl"))).toBe(false);
    const out = path("v.jsonl");
    const printed = await runCommand("judge", [rollouts, ...flags, "--out", out]);
    expect(printed).toMatch(/^judge harm@[0-9a-f]{8}: "shows" means that the response gives help/);
    expect(printed).toMatch(/\nbase +3 +9 +0\n12 requests, 12 answered\n0 verdicts needed no/);
    const verdicts = await readVerdicts(out);
    expect(verdicts).toHaveLength(12);
    expect(readFileSync(`${out}.answers.jsonl`, "utf8")).toMatch(/"cost":0\.0/);
    const again = [rollouts, ...flags, "--out", out, "--force", "--json"];
    expect(JSON.parse(await runCommand("judge", again))).toMatchObject({
      rollouts: 12,
      causes: {},
      llm: { requests: 0, cached: 12, cost: 0 },
    });
    expect(await readVerdicts(out)).toEqual(verdicts);
  });

  it.each([
    [["--rules", "refusal"], /one of rules, rubric and labels, got rules and rubric/],
    [["--max-cost", "1"], /--max-cost: expected --price-in/],
    [["--price-in", "1"], /both --price-in and --price-out/],
    [["--base-url", "localhost:1"], /expected an address such as http/],
    [["--api-key-env", "CULPRIT_NO_SUCH_KEY"], /a variable that is set/],
    [["--rubric", "kindness"], /kindness: expected a rubric file, got no file/],
  ])("refuses %j", async (more, message) => {
    const rollouts = writeRollouts("bad.jsonl", 1);
    const words = [rollouts, ...llmFlags("http://127.0.0.1:9/v1"), "--out", path("b.jsonl")];
    await expect(runCommand("judge", [...words, ...more])).rejects.toThrow(message);
  });

  it.each([
    ["scale: [0, 10]\nthreshold: 5\nlabels: {a: shows, b: not}", /either a scale or labels/],
    ["scale: [0, 10]", /threshold: expected a number above 0 and at most 10/],
    ["labels: {a: shows}", /labels: expected words for shows and for not/],
    [
      "scale: [0, 10]\nthreshold: 5\nexamples: [{prompt: p, response: r, score: 11}]",
      /examples\.0/,
    ],
    ["scale: [0, 10]\nthreshold: 5\nlevel: 3", /level/],
  ])("names the place in a broken rubric: %j", async (rest, message) => {
    const rubric = path("rubric.yaml");
    writeFileSync(rubric, `name: n\nbehavior: b\nsystem: s\nuser: "{response}"\n${rest}\n`);
    const words = [writeRollouts("x.jsonl", 1), ...llmFlags("http://127.0.0.1:9/v1")];
    const run = runCommand("judge", [...words, "--rubric", rubric, "--dry-run"]);
    await expect(run).rejects.toThrow(message);
  });

  it("writes the causes and fails where no rollout got a verdict", async () => {
    await using server = await startFakeEndpoint({ answer: () => "Hm." });
    const words = [
      writeRollouts("n.jsonl", 3),
      ...llmFlags(server.url),
      "--out",
      path("n-v.jsonl"),
    ];
    await expect(runCommand("judge", words)).rejects.toThrow(
      /expected verdicts, got none of 3 rollouts \(3 judge's answer unreadable\)/,
    );
    expect(await readVerdicts(path("n-v.jsonl"))).toHaveLength(3);
  });

  it("says what was asked, and what failed, where it ends by an error", async () => {
    await using server = await startFakeEndpoint({ answer: () => "?" });
    const lines: string[] = [];
    const words = [writeRollouts("ends-in.jsonl", 100), ...llmFlags(server.url)];
    const args = parseArguments(commandNamed("judge"), [...words, "--out", path("ends.jsonl")]);
    const log = (line: string): void => void lines.push(line);
    const run = commandNamed("judge").run(args, { ...silentContext(), log });
    await expect(run).rejects.toThrow(/got none in 60/);
    expect(lines.join("\n")).toMatch(/^\d+ requests, \d+ answered$/m);
    expect(lines.join("\n")).toMatch(/prompt and \d+ answer tokens/);
  });

  it("says which conditions a budget did not reach", async () => {
    await using server = await startFakeEndpoint({ answer: () => '{"score": 10}' });
    const rollouts = writeRollouts("budget.jsonl", 20);
    const lines = readFileSync(rollouts, "utf8").trim().split("\n");
    const second = lines.map((line) => {
      const each = JSON.parse(line) as { id: string; response: string };
      const { id, response } = each;
      return JSON.stringify({ ...each, id: `${id}b`, variant: "late", response: `${response} b` });
    });
    writeFileSync(rollouts, [...lines, ...second].join("\n"));
    const words = [rollouts, ...llmFlags(server.url), "--concurrency", "1", "--force"];
    const money = ["--price-in", "0", "--price-out", "1000000", "--max-cost"];
    const judge = (most: string, out: string): Promise<string> =>
      runCommand("judge", [...words, ...money, most, "--out", path(out)]);
    expect(await judge("0", "b0.jsonl").catch(String)).toContain("budget");
    // An answer is 2 tokens of money 1, and 400 at its dearest: 26 fit.
    expect(await judge("450", "b2.jsonl")).toMatch(
      /the budget did not reach (?!.*base)\d+ of 20 of late: rollouts are judged in the file's order/,
    );
    expect(await judge("1000000", "b2.jsonl")).not.toContain("did not reach");
  });

  it("takes the name of built-in rules for no file that --out would replace", async () => {
    const cwd = process.cwd();
    const rollouts = writeRollouts("name.jsonl", 3);
    process.chdir(folder);
    try {
      await runCommand("judge", [rollouts, "--rules", "refusal", "--out", "refusal"]);
    } finally {
      process.chdir(cwd);
    }
    expect(await readVerdicts(path("refusal"))).toHaveLength(3);
  });

  it("pays for nothing twice after kill -9, and ends as an undisturbed run does", async () => {
    await using server = await startFakeEndpoint({ latencyMs: 40 });
    const rollouts = writeRollouts("k.jsonl", 120);
    const out = path("k-v.jsonl");
    const words = ["judge", rollouts, ...llmFlags(server.url), "--out", out, "--concurrency", "4"];
    const stored = await killWhilePaying(words, server, `${out}.answers.jsonl`);
    const { code, stdout } = await runCli([...words, "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      rollouts: 120,
      causes: {},
      llm: { requests: 120 - stored },
    });
    const verdicts = readFileSync(out, "utf8");
    await runCli([...words, "--force", "--answers", path("fresh.jsonl"), "--quiet"]);
    expect(readFileSync(out, "utf8")).toBe(verdicts);
  });
});
