import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { temporaryFolder } from "../../test/support/data-files.ts";
import { RuntimeError } from "../util/errors.ts";
import type { UnusableReason, UnusableRow } from "./preference-pair.ts";
import { openUnusableFile, writeUnusable } from "./unusable-file.ts";

const unusable = (row: number, reason: UnusableReason): UnusableRow => ({
  kind: "unusable",
  row,
  file: "a.jsonl",
  fileRow: row,
  reason,
  detail: "why",
});

describe("writeUnusable", () => {
  it("writes one line a row and counts by reason, most frequent first", async () => {
    const path = join(await temporaryFolder(), "u.jsonl");
    const rows = [
      unusable(3, "empty-side"),
      unusable(4, "broken-json"),
      unusable(9, "broken-json"),
    ];
    const summary = await writeUnusable(path, rows);
    expect(summary).toEqual({ count: 3, byReason: { "broken-json": 2, "empty-side": 1 } });
    expect(Object.keys(summary.byReason)).toEqual(["broken-json", "empty-side"]);
    const lines = (await readFile(path, "utf8")).trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(
      rows.map(({ file, row, fileRow, reason, detail }) => ({
        file,
        row,
        fileRow,
        reason,
        detail,
      })),
    );
  });

  it("replaces an older list by an empty one where all is well", async () => {
    const path = join(await temporaryFolder(), "u.jsonl");
    await writeFile(path, "old");
    expect(await writeUnusable(path, [])).toEqual({ count: 0, byReason: {} });
    expect(await readFile(path, "utf8")).toBe("");
  });
});

describe("openUnusableFile", () => {
  it("takes more rows than it buffers and shows the file at the end only", async () => {
    const folder = await temporaryFolder();
    const file = openUnusableFile(join(folder, "u.jsonl"));
    for (let i = 0; i < 20_000; i++) await file.add(unusable(i, "empty-side"));
    expect(await readdir(folder)).toEqual(["u.jsonl.partial"]);
    expect((await file.close()).count).toBe(20_000);
    expect(await readdir(folder)).toEqual(["u.jsonl"]);
    expect((await readFile(join(folder, "u.jsonl"), "utf8")).split("\n").length).toBe(20_001);
  });

  it("leaves nothing behind when discarded, and the older list in place", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "u.jsonl"), "old");
    const file = openUnusableFile(join(folder, "u.jsonl"));
    await file.add(unusable(1, "empty-side"));
    await file.discard();
    expect(await readdir(folder)).toEqual(["u.jsonl"]);
    expect(await readFile(join(folder, "u.jsonl"), "utf8")).toBe("old");
  });

  it("reports a folder that is not there instead of hanging", async () => {
    const file = openUnusableFile(join(await temporaryFolder(), "gone", "u.jsonl"));
    const filling = (async () => {
      for (let i = 0; i < 20_000; i++) await file.add(unusable(i, "empty-side"));
      await file.close();
    })();
    await expect(filling).rejects.toBeInstanceOf(RuntimeError);
  });
});
