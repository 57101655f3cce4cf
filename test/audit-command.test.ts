import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

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
