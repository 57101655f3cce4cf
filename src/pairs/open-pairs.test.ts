import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { DuckDBInstance } from "@duckdb/node-api";
import { describe, expect, it } from "vitest";

import {
  collect,
  jsonLines,
  temporaryFile,
  temporaryFolder,
} from "../../test/support/data-files.ts";
import { ConfigError } from "../util/errors.ts";
import { openPairs, type OpenPairsOptions } from "./open-pairs.ts";
import type { PreferencePair, UnusableRow } from "./preference-pair.ts";

const row = (n: number, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  prompt: `question ${n}`,
  chosen: `good ${n}`,
  rejected: `bad ${n}`,
  ...more,
});

async function readAll(
  files: readonly string[],
  options?: OpenPairsOptions,
): Promise<(PreferencePair | UnusableRow)[]> {
  return collect((await openPairs(files, options)).read());
}

async function idsOf(rows: readonly unknown[], options?: OpenPairsOptions): Promise<string[]> {
  const all = await readAll([await temporaryFile("x.jsonl", jsonLines(rows))], options);
  return all.map((each) => (each.kind === "pair" ? each.id : each.reason));
}

it("takes a transcript as the text that it is where trl-standard is named, as TRL does", async () => {
  const prompt = "\n\nHuman: hello\n\nAssistant:";
  const lines = jsonLines([{ prompt, chosen: " yes", rejected: " no" }]);
  const file = await temporaryFile("transcript.jsonl", lines);
  expect((await openPairs([file])).shape).toBe("hh-rlhf");
  const [pair] = await readAll([file], { shape: "trl-standard" });
  expect(pair).toMatchObject({
    prompt: [{ role: "user", content: prompt }],
    chosen: [{ role: "assistant", content: " yes" }],
  });
});

describe("files of several shapes", () => {
  it("are named with the shape that each has", async () => {
    const text = await temporaryFile(
      "text.jsonl",
      jsonLines([{ prompt: "q", chosen: "a", rejected: "b" }]),
    );
    const turns = (role: string, content: string): object[] => [{ role, content }];
    const rows = [
      {
        prompt: turns("user", "q"),
        chosen: turns("assistant", "a"),
        rejected: turns("assistant", "b"),
      },
    ];
    const messages = await temporaryFile("messages.jsonl", jsonLines(rows));
    await expect(openPairs([text, messages])).rejects.toThrow(
      /text\.jsonl has trl-standard, .*messages\.jsonl has trl-conversational/,
    );
    expect((await openPairs([text, messages], { shape: "trl-standard" })).shape).toBe(
      "trl-standard",
    );
  });
});

describe("ids", () => {
  it("are the row's own where it has one, else a hash of the content; prompt_id is none", async () => {
    const ids = await idsOf([
      row(1, { id: "own", uuid: "u" }),
      row(2, { id: 7 }),
      row(3, { id: null, pair_id: "p" }),
      row(4, { prompt_id: "shared" }),
      row(5, { id: "" }),
      row(6, { id: "x".repeat(201) }),
    ]);
    expect(ids.slice(0, 3)).toEqual(["own", "7", "p"]);
    for (const id of ids.slice(3)) expect(id).toMatch(/^h-[0-9a-f]{16}$/);
    expect(new Set(ids).size).toBe(6);
  });

  it("depend on the content alone, so that they outlive releases", async () => {
    // sha256 of {"chosen":[{"content":"good 1","role":"assistant"}],"prompt":…,"rejected":…}, first 16 digits, by Python's hashlib.
    expect(await idsOf([row(1)])).toEqual(["h-44c4554909579315"]);
    expect(await idsOf([row(1, { source: "s" })])).toEqual(["h-44c4554909579315"]);
  });

  it("number repeats, never give an id twice, and know no special names", async () => {
    const own = (id: string): Record<string, unknown> => row(1, { id });
    expect(
      await idsOf(["a", "a#2", "a", "a", "a#2", "__proto__", "constructor", "__proto__"].map(own)),
    ).toEqual(["a", "a#2", "a#3", "a#4", "a#2#2", "__proto__", "constructor", "__proto__#2"]);
    const [first, second, third] = await idsOf([row(1), row(2), row(1)]);
    expect(third).toBe(`${first}#2`);
    expect(second).not.toBe(first);
  });

  it("that are numbers are the same from CSV, where programs write floats as 1.0, as from JSON and Parquet", async () => {
    const folder = await temporaryFolder();
    const ids = ["1.0", "1.5", "-2.0", "0.0", "1e+16", "1e-05", "123456789012.0"];
    const rows = ids.map((id, i) => ({ id, ...row(i) }));
    const [csv, json, parquet] = ["x.csv", "x.jsonl", "x.parquet"].map((each) =>
      join(folder, each),
    );
    const lines = rows.map((each) => Object.values(each).join(","));
    await writeFile(csv!, ["id,prompt,chosen,rejected", ...lines].join("\n"));
    const numbers = rows.map((each) => JSON.stringify(each).replace(/"id":"([^"]*)"/, '"id":$1'));
    await writeFile(json!, numbers.join("\n"));
    const instance = await DuckDBInstance.create(":memory:");
    const connection = await instance.connect();
    await connection.run(
      `COPY (SELECT * REPLACE (id::DOUBLE AS id) FROM read_csv('${csv}', all_varchar = true)) TO '${parquet}'`,
    );
    connection.closeSync();
    instance.closeSync();
    const expected = ["1", "1.5", "-2", "0", "10000000000000000", "0.00001", "123456789012"];
    for (const file of [csv!, json!, parquet!]) {
      const found = (await readAll([file])).map((each) => (each as PreferencePair).id);
      expect({ file, found }).toEqual({ file, found: expected });
    }
  });

  it("that are text keep what no program writes of a number", async () => {
    const texts = ["1.00", "01.0", "1.10", "v1.0", "1e5", "12345678901234567890.0"];
    const expected = [...texts.slice(0, -1), "12345678901234567890"];
    expect(await idsOf(texts.map((id, i) => row(i, { id })))).toEqual(expected);
  });

  it("stay the same when read again, split over files, or written in another format or shape", async () => {
    const folder = await temporaryFolder();
    const write = async (name: string, content: string | Uint8Array): Promise<string> => {
      await writeFile(join(folder, name), content);
      return join(folder, name);
    };
    const rows = [1, 2, 1, 3, 1].map((n) => row(n));
    const whole = await write("whole.jsonl", jsonLines(rows));
    const set = await openPairs([whole]);
    const ids = async (files: readonly string[]): Promise<string[]> =>
      (await readAll(files)).map((each) => (each.kind === "pair" ? each.id : each.reason));
    const expected = await ids([whole]);
    expect((await collect(set.read())).map((each) => (each as PreferencePair).id)).toEqual(
      expected,
    );
    expect((await collect(set.read())).map((each) => (each as PreferencePair).id)).toEqual(
      expected,
    );
    await write("part-0.jsonl", jsonLines(rows.slice(0, 2)));
    await write("part-1.json", JSON.stringify(rows.slice(2, 3)));
    const csv = rows.slice(3).map((each) => Object.values(each).join(","));
    await write("part-2.csv", ["prompt,chosen,rejected", ...csv].join("\n"));
    expect(await ids([`${folder}/part-*`])).toEqual(expected);
    const messages = rows.map(({ prompt, chosen, rejected }) => ({
      prompt: [{ role: "user", content: prompt }],
      chosen: [{ role: "assistant", content: chosen }],
      rejected: [{ role: "assistant", content: rejected }],
    }));
    expect(
      await ids([await write("messages.json.gz", gzipSync(JSON.stringify(messages)))]),
    ).toEqual(expected);
    const parquet = join(folder, "messages.parquet");
    const instance = await DuckDBInstance.create(":memory:");
    const connection = await instance.connect();
    await connection.run(
      `COPY (FROM read_json('${await write("m.json", JSON.stringify(messages))}')) TO '${parquet}'`,
    );
    connection.closeSync();
    instance.closeSync();
    expect(await ids([parquet])).toEqual(expected);
  });
});

describe("rows", () => {
  it("carry file, row and row within the file, unusable ones counted", async () => {
    const folder = await temporaryFolder();
    const [a, b] = [join(folder, "a.jsonl"), join(folder, "b.csv")];
    await writeFile(
      a,
      `${jsonLines([row(1)])}{broken\n${jsonLines([{ prompt: "q", chosen: "a" }])}`,
    );
    await writeFile(b, "prompt,chosen,rejected\nq,same,same\nq,a\nq,a,b\n");
    const rows = await readAll([a, b]);
    expect(
      rows.map((each) => [
        each.row,
        each.file,
        each.fileRow,
        each.kind === "pair" ? "pair" : each.reason,
      ]),
    ).toEqual([
      [0, a, 0, "pair"],
      [1, a, 1, "broken-json"],
      [2, a, 2, "missing-field"],
      [3, b, 0, "identical-sides"],
      [4, b, 1, "broken-csv"],
      [5, b, 2, "pair"],
    ]);
  });

  it("may mix types in one column: what does not fit the shape is unusable, the rest is read", async () => {
    const turns = [{ role: "user", content: "q" }];
    const rows = await idsOf([
      row(1, { id: 1 }),
      row(2, { id: 2 }),
      row(3, { id: 3, prompt: turns }),
    ]);
    expect(rows).toEqual(["1", "2", "wrong-type"]);
  });

  it("never quote the data set in the reason of an unusable row", async () => {
    const secret = "SECRET words";
    const path = await temporaryFile(
      "x.jsonl",
      jsonLines([
        row(1),
        row(1, { chosen: { secret } }),
        row(1, { chosen: secret, rejected: secret }),
        row(3),
      ]),
    );
    const rows = (await readAll([path])).filter((each) => each.kind === "unusable");
    expect(rows.length).toBe(2);
    expect(JSON.stringify(rows)).not.toContain(secret);
  });

  it("end at the limit, which is part of what the data set is", async () => {
    const path = await temporaryFile("x.jsonl", jsonLines([row(1), {}, row(2), row(3)]));
    const set = await openPairs([path], { limit: 3 });
    expect((await collect(set.read())).length).toBe(3);
    expect(set.contentHash).not.toBe((await openPairs([path])).contentHash);
    await expect(openPairs([path], { limit: 0 })).rejects.toBeInstanceOf(ConfigError);
  });

  it("keep contents with NUL and prototype names as they are", async () => {
    const odd = "\u0000 é\r\n";
    const path = await temporaryFile(
      "x.jsonl",
      jsonLines([{ ...row(1), chosen: odd, toString: "x" }]),
    );
    expect(await readAll([path])).toMatchObject([
      { chosen: [{ role: "assistant", content: odd }] },
    ]);
  });
});

describe("the opened set", () => {
  it("has a content hash that follows the bytes and the shape, not the name", async () => {
    const text = jsonLines([row(1)]);
    const [a, b, c] = [
      await openPairs([await temporaryFile("a.jsonl", text)]),
      await openPairs([await temporaryFile("b.jsonl", text)]),
      await openPairs([await temporaryFile("a.jsonl", `${text}\n`)]),
    ];
    expect(a.contentHash).toBe(b.contentHash);
    expect(a.contentHash).not.toBe(c.contentHash);
    expect(a.files).toMatchObject([
      { sizeBytes: text.length, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
    ]);
  });

  it("refuses data without rows or without a readable one, saying what is wrong with the first", async () => {
    await expect(openPairs([await temporaryFile("x.jsonl", "\n")])).rejects.toThrow(
      /expected rows, got none$/,
    );
    await expect(openPairs([await temporaryFile("x.jsonl", "{a\n{b\n")])).rejects.toMatchObject({
      message: expect.stringContaining("none that can be read") as string,
      hint: expect.stringContaining("row 0: line 1") as string,
    });
  });
});

describe("columns", () => {
  const rows = [
    row(1, {
      id: "i",
      score: 4.5,
      source: "s1",
      chosen_model: "m",
      note: "x".repeat(101),
      tags: ["t"],
      planted: true,
    }),
    row(2, {
      id: "j",
      score: 3,
      source: "s2",
      rejected_model: "n",
      note: "short",
      ok: false,
      planted: false,
    }),
  ];
  const columnsOf = async (options?: OpenPairsOptions): Promise<unknown> => {
    const set = await openPairs([await temporaryFile("x.jsonl", jsonLines(rows))], options);
    const pairs = await collect(set.read());
    return [set.columns, pairs.map((pair) => (pair as PreferencePair).columns)];
  };

  it("are the source, the generators and short values; no text, no id, no planted truth; the same on every pair", async () => {
    expect(await columnsOf()).toEqual([
      ["source", "chosen_model", "rejected_model", "score", "ok"],
      [
        { source: "s1", chosen_model: "m", rejected_model: null, score: 4.5, ok: null },
        { source: "s2", chosen_model: null, rejected_model: "n", score: 3, ok: false },
      ],
    ]);
  });

  it("can be picked, and the source renamed", async () => {
    expect(
      await columnsOf({ keepColumns: ["score", "planted"], sourceColumn: "chosen_model" }),
    ).toEqual([
      ["source", "score", "planted"],
      [
        { source: "m", score: 4.5, planted: true },
        { source: null, score: 3, planted: false },
      ],
    ]);
  });

  it.each([["nothing"], ["prompt"], ["tags"]])("cannot be %s", async (name) => {
    await expect(columnsOf({ keepColumns: [name] })).rejects.toThrow(ConfigError);
    await expect(columnsOf({ keepColumns: [name] })).rejects.toThrow(`"${name}"`);
  });
});
