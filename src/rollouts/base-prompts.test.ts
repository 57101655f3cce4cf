import { gzipSync } from "node:zlib";

import { describe, expect, it } from "vitest";

import { jsonLines, temporaryFile } from "../../test/support/data-files.ts";
import { readBasePrompts } from "./base-prompts.ts";

async function read(name: string, content: string | Uint8Array, limit?: number) {
  const { prompts, skipped } = await readBasePrompts([await temporaryFile(name, content)], {
    limit,
  });
  return { texts: prompts.map(({ text }) => text), tags: prompts.map(({ tags }) => tags), skipped };
}

const user = (content: string) => ({ role: "user", content });
const assistant = (content: string) => ({ role: "assistant", content });

describe("readBasePrompts", () => {
  it("takes prompts of rows, as text or one user turn, and counts those of several turns", async () => {
    const rows = [
      { id: "x", prompt: "A?", tags: ["t"] },
      { prompt: [user("B?")] },
      { prompt: [user("C?"), assistant("c"), user("D?")] },
      { prompt: [{ role: "system", content: "S" }, user("E?")] },
    ];
    expect(await read("p.jsonl", jsonLines(rows))).toEqual({
      texts: ["A?", "B?"],
      tags: [["t"], []],
      skipped: { "several-turns": 2 },
    });
  });

  it("reads CSV, JSON, YAML, plain lines and gzip alike", async () => {
    const files: readonly (readonly [string, string | Uint8Array])[] = [
      ["p.csv", "prompt\nA?\nB?\n"],
      ["p.json", '[{"prompt": "A?"}, {"prompt": "B?"}]'],
      ["p.json", '{"scenarios": [{"base": "A?"},\n {"base": "B?"}]}'],
      ["p.yaml", "- base: A?\n- base: B?\n"],
      ["p.txt", "A?\r\n\nB?\n"],
      ["p.txt.gz", gzipSync("A?\nB?")],
      ["p.jsonl.gz", gzipSync('{"base": "A?"}\n{"base": "B?"}\n')],
    ];
    for (const [name, content] of files) {
      expect({ name, ...(await read(name, content)) }).toMatchObject({ name, texts: ["A?", "B?"] });
    }
    expect((await read("p.txt", "A?\nB?\n", 1)).texts).toEqual(["A?"]);
  });

  it("takes the whole prompt of preference pairs, and counts rows that are none", async () => {
    const rows = [
      { chosen: [user("A?"), assistant("a")], rejected: [user("A?"), assistant("b")] },
      { chosen: [user("B?"), assistant("a")], rejected: [user("B?"), assistant("a")] },
      {
        chosen: [user("C?"), assistant("c"), user("D?"), assistant("a")],
        rejected: [user("C?"), assistant("c"), user("D?"), assistant("b")],
      },
    ];
    // Such a column holds the first turn alone in published mixes.
    const withPrompt = rows.map((row) => ({ ...row, prompt: row.chosen[0]!.content }));
    for (const some of [rows, withPrompt]) {
      expect(await read("p.jsonl", jsonLines(some))).toMatchObject({
        texts: ["A?"],
        skipped: { "identical-sides": 1, "several-turns": 1 },
      });
    }
  });

  it("leaves out, or refuses by name, requests that go with more than their text", async () => {
    const tools = [{ type: "function", function: { name: "f" } }];
    const pair = { prompt: "A?", chosen: "a", rejected: "b" };
    expect(await read("p.jsonl", jsonLines([pair, { ...pair, tools }]))).toMatchObject({
      texts: ["A?"],
      skipped: { unread: 1 },
    });
    await expect(read("p.jsonl", jsonLines([{ prompt: "A?", tools }]))).rejects.toThrow(
      /row 0: prompt: expected roles and texts alone, got tools/,
    );
  });

  it("names file and row of what is no request, and refuses scenarios that are composed already", async () => {
    const row = (fields: unknown) => read("p.jsonl", jsonLines([{ prompt: "A?" }, fields]));
    await expect(row({ prompt: " " })).rejects.toThrow(/p\.jsonl, row 1: the request has no text/);
    await expect(row({ text: "A?" })).rejects.toThrow(/row 1: prompt: expected a value, got none/);
    await expect(row({ base: 3 })).rejects.toThrow(/row 1: base: expected text, got a number/);
    await expect(row({ base: "A?", distractor: "D" })).rejects.toThrow(/one with a distractor/);
    await expect(read("p.jsonl", '{"prompt": "A?"}\nx\n')).rejects.toThrow(/row 1: line 2/);
    await expect(read("p.jsonl", "")).rejects.toThrow(/expected base prompts, got none/);
    await expect(
      read("p.jsonl", jsonLines([{ prompt: [user("A?"), user("B?")] }])),
    ).rejects.toMatchObject({ hint: "Each of 1 rows was skipped: several-turns." });
    await expect(readBasePrompts(["/nowhere/p.jsonl"])).rejects.toThrow(/no such file/);
  });
});
