import { gzipSync } from "node:zlib";

import { describe, expect, it } from "vitest";

import { jsonLines, temporaryFile } from "../../test/support/data-files.ts";
import { FormatError } from "../util/errors.ts";
import { readResponsePairs, writeResponsePairs } from "./response-pairs.ts";

const user = (content: string): unknown => ({ role: "user", content });
const assistant = (content: string): unknown => ({ role: "assistant", content });

describe("readResponsePairs", () => {
  it("names the column that was meant where a side is misspelt", async () => {
    const rows = [{ id: "1", prompt: "q", befor: "no", after: "yes" }];
    await expect(
      readResponsePairs(await temporaryFile("x.jsonl", jsonLines(rows))),
    ).rejects.toThrow(/row 0: before: .*did you mean before by "befor"/);
    const others = [{ id: "1", promt: "q", before: "no", after: "yes" }];
    await expect(
      readResponsePairs(await temporaryFile("x.jsonl", jsonLines(others))),
    ).rejects.toThrow(/row 0: prompt: .*did you mean prompt by "promt"/);
  });

  it("gives calls and tools back as they were written", async () => {
    const call = { type: "function", function: { name: "f", arguments: { a: 1 } } };
    const pair = {
      id: "1",
      prompt: [{ role: "user", content: "q" }],
      before: [{ role: "assistant", content: "no" }],
      after: [{ role: "assistant", content: "", tool_calls: [call] }],
      tools: [{ type: "function", function: { name: "f" } }],
      chat_template_kwargs: { enable_thinking: false },
    };
    const read = await readResponsePairs(await temporaryFile("x.jsonl", jsonLines([pair])));
    expect(read.pairs[0]).toMatchObject({
      after: [{ role: "assistant", content: "", whole: { tool_calls: [call] } }],
      context: { tools: pair.tools, kwargs: pair.chat_template_kwargs },
    });
    const again = await temporaryFile("again.jsonl", "");
    await writeResponsePairs(again, read.pairs);
    expect((await readResponsePairs(again)).pairs).toEqual(read.pairs);
    expect(read.ignoredColumns).toEqual({});
  });

  it("takes texts and message lists, and counts the columns it ignores", async () => {
    const rows = [
      { id: "a", prompt: "q", before: "no", after: "yes", type: "t", extra: 1 },
      {
        id: "b",
        prompt: [user("q")],
        before: [assistant("no")],
        after: assistant("yes"),
        scenario: "s",
        type: "t",
      },
    ];
    const read = await readResponsePairs(
      await temporaryFile("x.jsonl.gz", gzipSync(jsonLines(rows))),
    );
    const turns = { prompt: [user("q")], before: [assistant("no")], after: [assistant("yes")] };
    expect(read.pairs).toEqual([
      { id: "a", ...turns, scenario: "a" },
      { id: "b", ...turns, scenario: "s" },
    ]);
    expect(read.ignoredColumns).toEqual({ type: 2, extra: 1 });
    expect(read.unusable).toEqual([]);
    expect(read.files).toMatchObject([
      { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
    ]);
  });

  it("takes tags as a list or as text with commas, and refuses anything else", async () => {
    const row = { prompt: "q", before: "no", after: "yes" };
    const file = await temporaryFile(
      "x.jsonl",
      jsonLines([
        { ...row, id: 1, tags: ["json", "short"] },
        { ...row, id: 2, tags: "json, short" },
        { ...row, id: 3 },
      ]),
    );
    const { pairs, ignoredColumns } = await readResponsePairs(file);
    expect(pairs.map(({ tags }) => tags)).toEqual([
      ["json", "short"],
      ["json", "short"],
      undefined,
    ]);
    expect(ignoredColumns).toEqual({});
    const bad = await temporaryFile("y.jsonl", jsonLines([{ ...row, tags: { a: 1 } }]));
    await expect(readResponsePairs(bad)).rejects.toThrow(FormatError);
  });

  it("reads the group of a row, and refuses one that is no name", async () => {
    const row = { prompt: "p", before: "a", after: "b" };
    const rows = [{ ...row, group: "g" }, { ...row, group: 7 }, row];
    const file = await temporaryFile("x.jsonl", jsonLines(rows));
    const { pairs, ignoredColumns } = await readResponsePairs(file);
    expect(pairs.map(({ group }) => group)).toEqual(["g", "7", undefined]);
    expect(ignoredColumns).toEqual({});
    const bad = await temporaryFile("y.jsonl", jsonLines([{ ...row, group: {} }]));
    await expect(readResponsePairs(bad)).rejects.toThrow(/row 0: group/);
  });

  it("gives several rollouts of one id one scenario", async () => {
    const rows = [1, 2].map((n) => ({ id: "a", prompt: "q", before: `no ${n}`, after: "yes" }));
    const { pairs } = await readResponsePairs(await temporaryFile("x.json", JSON.stringify(rows)));
    expect(pairs.map(({ id, scenario }) => [id, scenario])).toEqual([
      ["a", "a"],
      ["a#2", "a"],
    ]);
  });

  it("reads CSV, and gives a row without an id a hash", async () => {
    const { pairs } = await readResponsePairs(
      await temporaryFile("x.csv", 'prompt,before,after\n"q, or not",no,yes\n'),
    );
    expect(pairs).toMatchObject([
      { id: expect.stringMatching(/^h-/) as string, prompt: [user("q, or not")] },
    ]);
    expect(pairs[0]!.scenario).toBe(pairs[0]!.id);
  });

  it("says how many there were and why where none is usable", async () => {
    const same = { prompt: "q", before: "a", after: "a" };
    const path = await temporaryFile("x.jsonl", jsonLines([same, same, { ...same, before: "" }]));
    await expect(readResponsePairs(path)).rejects.toThrow(
      /x\.jsonl: none of 3 response pairs is usable: 2 before and after: expected two different responses, got the same, 1 for other reasons/,
    );
  });

  it("reports empty and identical responses as unusable rows", async () => {
    const rows = [
      { id: 1, prompt: "q", before: "same", after: "same" },
      { id: 2, prompt: "q", before: " ", after: "yes" },
      { id: 3, prompt: "", before: "no", after: "yes" },
      { id: 4, prompt: "q", before: "no", after: "yes" },
      { id: 5, prompt: "q", before: "no", after: null },
    ];
    const read = await readResponsePairs(await temporaryFile("x.jsonl", jsonLines(rows)));
    expect(read.pairs.map(({ id }) => id)).toEqual(["4"]);
    expect(read.unusable.map(({ fileRow, reason }) => [fileRow, reason])).toEqual([
      [0, "identical-sides"],
      [1, "empty-side"],
      [2, "empty-prompt"],
      [4, "empty-side"],
    ]);
  });

  it.each([
    ["after: expected a value", '{"prompt":"q","before":"no"}'],
    ["before: expected a list of turns, got a number", '{"prompt":"q","before":1,"after":"yes"}'],
    ["a known role", '{"prompt":[{"role":"x","content":"q"}],"before":"no","after":"yes"}'],
    ["line 2: expected a JSON object", "{"],
  ])("names file and row of a fault in the file: %s", async (message, line) => {
    const good = '{"prompt":"q","before":"no","after":"yes"}';
    const reading = readResponsePairs(await temporaryFile("x.jsonl", `${good}\n${line}\n`));
    await expect(reading).rejects.toBeInstanceOf(FormatError);
    await expect(reading).rejects.toThrow("x.jsonl, row 1: ");
    await expect(reading).rejects.toThrow(message);
  });

  it("refuses a file without rows", async () => {
    await expect(readResponsePairs(await temporaryFile("x.jsonl", ""))).rejects.toThrow(/got none/);
  });
});

it.each(["before", "after"] as const)(
  "says of a file with %s-responses alone that it takes both, and where they come from",
  async (side) => {
    const rows = [0, 1, 2, 3].map((i) => ({ id: i, prompt: `q${i}`, [side]: `text ${i}` }));
    const error: unknown = await readResponsePairs(
      await temporaryFile("one.jsonl", jsonLines(rows)),
    ).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FormatError);
    const { message, hint } = error as FormatError;
    const other = side === "after" ? "before" : "after";
    expect(message).toMatch(
      new RegExp(`one\\.jsonl, row 0: ${other}: expected a value, got none$`),
    );
    expect(hint).toMatch(
      new RegExp(`this row has an? ${side}-response alone: .*culprit conditions makes both`),
    );
  },
);
