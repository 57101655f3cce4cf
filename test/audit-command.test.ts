import { copyFile, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import type { AuditReport } from "../src/pairs/audit-report.ts";
import { ConfigError } from "../src/util/errors.ts";
import { jsonLines, temporaryFolder } from "./support/data-files.ts";
import { runCommand } from "./support/run-command.ts";

const run = (...words: string[]): Promise<string> => runCommand("audit", words);

async function pairsIn(folder: string): Promise<string> {
  const path = join(folder, "pairs.jsonl");
  const rows = [
    { prompt: "q", chosen: "a", rejected: "b", source: "\u001b[31mred" },
    { prompt: "q", chosen: "b", rejected: "a", source: "s" },
    { prompt: "q", chosen: "a", rejected: "a", source: "s" },
  ];
  await writeFile(path, jsonLines(rows));
  return path;
}

describe("culprit audit", () => {
  it("prints tables with the unusable row's place, and no control characters of the data", async () => {
    const text = await run(await pairsIn(await temporaryFolder()), "--max-tokens", "100");
    expect(text).toMatch(/3 rows, 2 usable pairs, 1 unusable rows/);
    expect(text).toMatch(/pairs\.jsonl, row 2: identical-sides/);
    expect(text).toMatch(/at 100 tokens \(estimated\)/);
    expect(text).toMatch(/contradictory rows, first ones: 0\+1/);
    expect(text).not.toContain("\u001b");
  });

  it("writes the report and, beside it, the list of unusable rows", async () => {
    const folder = await temporaryFolder();
    const text = await run(await pairsIn(folder), "--out", join(folder, "audit.json"), "--json");
    expect((await readdir(folder)).toSorted()).toEqual([
      "audit.json",
      "audit.unusable.jsonl",
      "pairs.jsonl",
    ]);
    const report = JSON.parse(await readFile(join(folder, "audit.json"), "utf8")) as AuditReport;
    expect(report).toEqual(JSON.parse(text));
    expect(report.usable).toBe(2);
    const unusable = await readFile(join(folder, "audit.unusable.jsonl"), "utf8");
    expect(JSON.parse(unusable)).toMatchObject({ row: 2, reason: "identical-sides" });
  });

  it("counts with a checkpoint what its template does not show, joined tokens and rendered prompts", async () => {
    const folder = await temporaryFolder();
    const tokenizer = fileURLToPath(new URL("golden/tokenizer/chatml-plain/", import.meta.url));
    const templates = new URL("golden/messages/templates/", import.meta.url);
    for (const name of ["tokenizer.json", "tokenizer_config.json"]) {
      await copyFile(join(tokenizer, name), join(folder, name));
    }
    const turn = (role: string, content: string, more = {}): object => ({ role, content, ...more });
    const row = (prompt: string, chosen: string, more = {}): object => ({
      prompt: [turn("user", prompt, { id: "x" })],
      chosen: [turn("assistant", chosen, more)],
      rejected: [turn("assistant", "no")],
    });
    const pairs = join(folder, "pairs.jsonl");
    const rendered = "USER: q ASSISTANT: ";
    const rows = [
      row("q", "yes"),
      row("r", "yes", { reasoning_content: "Hm." }),
      { ...row("s", "yes"), tools: [{ type: "function", function: { name: "f" } }] },
      row(rendered, "yes"),
      { ...row("t", "yes"), images: ["a.png"] },
    ];
    await writeFile(pairs, jsonLines(rows));
    await copyFile(new URL("vicuna.jinja", templates), join(folder, "chat_template.jinja"));
    const report = async (...flags: string[]): Promise<AuditReport> =>
      JSON.parse(await run(pairs, "--checkpoint", folder, "--json", ...flags)) as AuditReport;
    const { tokens, beside, unrenderable, warnings } = await report();
    expect(beside).toEqual({
      said: ["reasoning_content", "tools", "images"].map((name) => ({ name, pairs: 1 })),
      labels: [{ name: "id", pairs: 5 }],
      columnsNotRead: ["images"],
    });
    expect(tokens).toEqual({
      pairs: 2,
      unreadPairs: 3,
      merged: 2,
      lostPromptTokens: 2,
      marked: 1,
      unread: ["reasoning_content", "tools", "images"].map((name) => ({ name, pairs: 1 })),
      hidden: { pairs: 0, names: [] },
    });
    expect(unrenderable).toBe(0);
    expect(warnings.join("\n")).toMatch(/3 pairs say what[^]*In 2 pairs[^]*1 of 5 prompts hold/);
    expect((await report("--ignore-unread")).tokens).toMatchObject({ pairs: 5, unreadPairs: 3 });
    expect((await report("--boundary", "text")).tokens).toMatchObject({ merged: 0 });
    expect(await run(pairs, "--checkpoint", folder)).toMatch(
      /reasoning_content +1 +20\.0% +1\n[^]*response begins before the prompt's end +2 +100\.0%/,
    );
  });

  it("never writes over the data", async () => {
    const folder = await temporaryFolder();
    const pairs = await pairsIn(folder);
    const before = await readFile(pairs, "utf8");
    await expect(run(pairs, "--unusable", pairs)).rejects.toBeInstanceOf(ConfigError);
    await expect(run(pairs, "--out", pairs)).rejects.toThrow(
      /--out: expected a name ending in .json/,
    );
    expect(await readFile(pairs, "utf8")).toBe(before);
  });

  it("names what is missing", async () => {
    await expect(run()).rejects.toThrow(/expected files of preference pairs/);
    await expect(run("nowhere.jsonl")).rejects.toThrow(/nowhere\.jsonl: no such file/);
  });
});
