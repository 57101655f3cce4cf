import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { DuckDBInstance } from "@duckdb/node-api";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  collect,
  jsonLines,
  temporaryFile,
  temporaryFolder,
} from "../../../test/support/data-files.ts";
import { JsonFloat, orderedKeys } from "../../format/json-value.ts";
import { ConfigError, FormatError, UnsupportedError } from "../../util/errors.ts";
import { MAX_ROW_BYTES } from "./file-row.ts";
import { readRows } from "./read-rows.ts";

async function rowsOf(name: string, content: string | Uint8Array): Promise<unknown[]> {
  const rows = await collect(readRows(await temporaryFile(name, content)));
  return rows.map((row) => (row.kind === "fields" ? row.fields : `${row.reason} ${row.fileRow}`));
}

async function writeParquet(path: string, select: string): Promise<void> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  await connection.run(`COPY (${select}) TO '${path.replaceAll("'", "''")}' (FORMAT parquet)`);
  connection.closeSync();
  instance.closeSync();
}

describe.each([
  ["JSON lines", "x.jsonl", (rows: readonly string[]) => rows.join("\n"), "line 2"],
  ["a JSON array", "x.json", (rows: readonly string[]) => `[${rows.join(",")}]`, "element 2"],
] as const)("a row of %s that has a key twice", (_, name, write, place) => {
  it("is broken, and named, wherever in it the key is", async () => {
    const whole = '{"chosen":"\\"a\\": {","rejected":"b"}';
    const bad = ['{"chosen":"a","rejected":"b","chosen":"c"}', '{"m":[{"role":"a","role":"b"}]}'];
    for (const [i, key] of ["chosen", "role"].entries()) {
      const path = await temporaryFile(name, write([whole, bad[i]!, whole]));
      const rows = await collect(readRows(path));
      expect(rows.map(({ kind }) => kind)).toEqual(["fields", "broken", "fields"]);
      expect(rows[1]).toMatchObject({
        reason: "broken-json",
        detail: `${place}: expected each key of an object once, got "${key}" twice`,
      });
    }
  });
});

describe("JSON lines", () => {
  it("reads plain and gzipped files alike, whatever the name says about gzip", async () => {
    const rows = [{ a: 1 }, { a: "two", b: [{ c: null }] }];
    expect(await rowsOf("x.jsonl", jsonLines(rows))).toEqual(rows);
    expect(await rowsOf("x.jsonl.gz", gzipSync(jsonLines(rows)))).toEqual(rows);
    expect(await rowsOf("x.jsonl", gzipSync(jsonLines(rows)))).toEqual(rows);
    expect(await rowsOf("x.jsonl.gz", jsonLines(rows))).toEqual(rows);
  });

  it("turns a broken line into a broken row with its number and reads on", async () => {
    const text = '{"a":1}\n{"a":\n\n[1]\nnull\n{"a":2}';
    expect(await rowsOf("x.jsonl", text)).toEqual([
      { a: 1 },
      "broken-json 1",
      "wrong-type 2",
      "wrong-type 3",
      { a: 2 },
    ]);
  });

  it("says the line but not the text of a broken row", async () => {
    const path = await temporaryFile("x.jsonl", '\n{"secret": "words"\n');
    const [row] = await collect(readRows(path));
    expect(row).toMatchObject({ kind: "broken", fileRow: 0 });
    expect(JSON.stringify(row)).toContain("line 2");
    expect(JSON.stringify(row)).not.toContain("secret");
  });

  it("takes a byte order mark, CRLF, NUL, U+2028 and lone surrogates as they are", async () => {
    expect(await rowsOf("x.jsonl", '\ufeff{"a":"\u2028\\u0000\\ud800"}\r\n{"a":2}\r\n')).toEqual([
      { a: "\u2028\u0000\ud800" },
      { a: 2 },
    ]);
  });

  it("keeps a column called __proto__ as data and touches no prototype", async () => {
    const [row] = await rowsOf("x.jsonl", '{"__proto__":{"polluted":1},"constructor":"c"}\n');
    expect(Object.keys(row as object)).toEqual(["__proto__", "constructor"]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("reads a line of 10 MB and JSON 20,000 levels deep", async () => {
    const long = "x".repeat(10_000_000);
    const deep = `{"a":${"[".repeat(20_000)}${"]".repeat(20_000)}}`;
    const rows = await rowsOf("x.jsonl", `${JSON.stringify({ long })}\n${deep}\n{"a":1}\n`);
    expect((rows[0] as { long: string }).long.length).toBe(10_000_000);
    expect(rows.length).toBe(3);
    expect(rows[2]).toEqual({ a: 1 });
  });

  it("lets a row above the size limit go and reads on", async () => {
    const line = Buffer.alloc(MAX_ROW_BYTES + 1, "x");
    expect(await rowsOf("x.jsonl", Buffer.concat([line, Buffer.from('\n{"a":1}\n')]))).toEqual([
      "broken-json 0",
      { a: 1 },
    ]);
  });

  it("calls bytes that are not UTF-8 a broken row", async () => {
    const bytes = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}\n')]);
    expect(await rowsOf("x.jsonl", bytes)).toEqual(["broken-json 0"]);
  });

  it("refuses damaged or short gzip, UTF-16 and zstd by name", async () => {
    const whole = await temporaryFile(
      "x.jsonl.gz",
      gzipSync(jsonLines(Array.from({ length: 999 }, (_, i) => ({ i })))),
    );
    await truncate(whole, 500);
    await expect(collect(readRows(whole))).rejects.toThrow(/x\.jsonl\.gz: expected whole gzip/);
    await expect(rowsOf("x.jsonl", Buffer.from('\ufeff{"a":1}', "utf16le"))).rejects.toThrow(
      FormatError,
    );
    await expect(
      rowsOf("x.jsonl", Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0])),
    ).rejects.toBeInstanceOf(UnsupportedError);
  });
});

describe("JSON arrays", () => {
  it("gives any rows back, however they are written", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 8 }),
        fc.constantFrom(undefined, 1, "\t"),
        async (any, indent) => {
          // Whole numbers beyond 2^53 come out as text, see the test below.
          const rows = JSON.parse(JSON.stringify(any), (_key, value: unknown) =>
            Number.isInteger(value) && !Number.isSafeInteger(value) ? 0 : value,
          ) as unknown[];
          expect(await rowsOf("x.json", `\n ${JSON.stringify(rows, undefined, indent)}\n`)).toEqual(
            rows,
          );
          expect(await rowsOf("x.jsonl", jsonLines(rows))).toEqual(rows);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("rounds no number: columns of large ones are text, and inside lists and objects they stay exact", async () => {
    const text =
      '[{"id": 1234567890123456789, "n": [20.0, 1e3, 1.5, -0, 18446744073709551616, 7], "x": 2.0, "t": "12345678901234567890.0"}]';
    expect(await rowsOf("x.json", text)).toEqual([
      {
        id: "1234567890123456789",
        n: [new JsonFloat(20), new JsonFloat(1000), 1.5, -0, 18446744073709551616n, 7],
        x: 2,
        t: "12345678901234567890.0",
      },
    ]);
  });

  it("knows the order of keys that are whole numbers", async () => {
    const [row] = (await rowsOf(
      "x.json",
      '[{"b": {"z": 1, "10": [{"a": "1", "2": {}}], "9": 20.0}}]',
    )) as [{ b: Record<string, unknown> }];
    expect(orderedKeys(row.b)).toEqual(["z", "10", "9"]);
    expect(row.b).toEqual({ z: 1, 10: [{ a: "1", 2: {} }], 9: new JsonFloat(20) });
    expect(orderedKeys((row.b["10"] as object[])[0]!)).toEqual(["a", "2"]);
  });

  it("streams elements across chunk borders", async () => {
    const rows = Array.from({ length: 3000 }, (_, i) => ({
      i,
      text: `"]},[{\\ é ${"x".repeat(i % 700)}`,
    }));
    expect(await rowsOf("x.json", JSON.stringify(rows))).toEqual(rows);
    expect(await rowsOf("x.json.gz", gzipSync(JSON.stringify(rows)))).toEqual(rows);
  });

  it("costs a broken element itself only, and reports an array that never closes", async () => {
    expect(await rowsOf("x.json", '[{"a":1}, {bad}, 3, {"a":2},]')).toEqual([
      { a: 1 },
      "broken-json 1",
      "wrong-type 2",
      { a: 2 },
    ]);
    expect(await rowsOf("x.json", '[{"a":1}, {"a":')).toEqual([{ a: 1 }, "cut-off 1"]);
    expect(await rowsOf("x.json", '[{"a":1},')).toEqual([{ a: 1 }, "cut-off 1"]);
    expect(await rowsOf("x.jsonl", '{"a":1}\n{"a":')).toEqual([{ a: 1 }, "cut-off 1"]);
    expect(await rowsOf("x.jsonl", '{"a":\n{"a":1}')).toEqual(["broken-json 0", { a: 1 }]);
    expect(await rowsOf("x.json", '[{"a":1}] {"a":2}')).toEqual([{ a: 1 }, "broken-json 1"]);
    expect(await rowsOf("x.json", "[]")).toEqual([]);
  });

  it("reads a .json file of lines by line", async () => {
    expect(await rowsOf("x.json", '{"a":1}\n{"a":2}\n')).toEqual([{ a: 1 }, { a: 2 }]);
  });
});

describe("CSV", () => {
  it("reads quotes, line ends in cells, CRLF, other delimiters and empty cells", async () => {
    const text = 'id,text,note\r\n1,"a ""b""\r\nc",5" disk\r\n\r\n2,,"x,y"\r\n';
    const rows = [
      { id: "1", text: 'a "b"\r\nc', note: '5" disk' },
      { id: "2", text: "", note: "x,y" },
    ];
    expect(await rowsOf("x.csv", text)).toEqual(rows);
    expect(await rowsOf("x.csv.gz", gzipSync(text))).toEqual(rows);
    expect(await rowsOf("x.tsv", "a\tb\n1\t2,3\n")).toEqual([{ a: "1", b: "2,3" }]);
    expect(await rowsOf("x.csv", 'a;b\n1;x, "y"\n')).toEqual([{ a: "1", b: 'x, "y"' }]);
  });

  it("turns ragged rows and broken quotes into broken rows and reads on", async () => {
    expect(await rowsOf("x.csv", 'a,b\n1\n1,2,3\n"x"y,2\n4,5\n"open,6\n')).toEqual([
      "broken-csv 0",
      "broken-csv 1",
      "broken-csv 2",
      { a: "4", b: "5" },
      "broken-csv 4",
    ]);
  });

  it("parses cells that hold turns as JSON and no others", async () => {
    const turns = [{ role: "user", content: 'say "hi"' }];
    const cell = (value: unknown): string => `"${JSON.stringify(value).replaceAll('"', '""')}"`;
    expect(await rowsOf("x.csv", `a,b,c\n${cell(turns)},${cell({ x: 1 })},[not json\n`)).toEqual([
      { a: turns, b: '{"x":1}', c: "[not json" },
    ]);
  });

  it("refuses turns in Python's notation, which would pass for text", async () => {
    expect(await rowsOf("x.csv", "a\n\"[{'content': 'q', 'role': 'user'}]\"\n")).toEqual([
      "broken-turns 0",
    ]);
  });

  it("gives any cells back", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.string({ unit: "grapheme" }), fc.string()), { minLength: 1 }),
        async (cells) => {
          const quote = (cell: string): string => `"${cell.replaceAll('"', '""')}"`;
          const text = cells.map(([a, b]) => `${quote(a)},${quote(b)}`).join("\n");
          expect(await rowsOf("x.csv", `a,b\n${text}`)).toEqual(cells.map(([a, b]) => ({ a, b })));
        },
      ),
      { numRuns: 40 },
    );
  });

  it("refuses a header without names or with the same name twice", async () => {
    await expect(rowsOf("x.csv", "")).resolves.toEqual([]);
    await expect(rowsOf("x.csv", "\n1\n")).rejects.toThrow(/columns' names/);
    await expect(rowsOf("x.csv", "a,a\n1,2\n")).rejects.toThrow(/"a" twice/);
  });
});

describe("Parquet", () => {
  it("reads nested values as plain ones, in the file's order, through names that look like globs", async () => {
    const path = join(await temporaryFolder(), "it's [1]*.parquet");
    await writeParquet(
      path,
      "SELECT range AS i, [{'role': 'user', 'content': 'q' || range}] AS prompt, " +
        "12345678901234567890::UBIGINT AS big, DATE '2024-05-06' AS day, NULL::VARCHAR AS none, " +
        "map {'k': 1.5::DOUBLE} AS m, true AS yes FROM range(5000)",
    );
    const rows = await collect(readRows(path));
    expect(rows.map((row) => row.fileRow)).toEqual(Array.from({ length: 5000 }, (_, i) => i));
    expect(rows[4999]).toMatchObject({
      fields: {
        i: 4999,
        prompt: [{ role: "user", content: "q4999" }],
        big: "12345678901234567890",
        day: "2024-05-06",
        none: null,
        m: { k: 1.5 },
        yes: true,
      },
    });
  });

  it("knows a Parquet file by its bytes and names a damaged one", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "x.data");
    await writeParquet(path, "SELECT 1 AS a");
    expect(await collect(readRows(path))).toEqual([
      { kind: "fields", fileRow: 0, fields: { a: 1 } },
    ]);
    await truncate(path, 40);
    await expect(collect(readRows(path))).rejects.toThrow(/x\.data: cannot be read as Parquet/);
    const fake = join(folder, "y.parquet");
    await writeFile(fake, "no parquet at all");
    await expect(collect(readRows(fake))).rejects.toBeInstanceOf(FormatError);
  });

  it("stops when asked to", async () => {
    const path = join(await temporaryFolder(), "x.parquet");
    await writeParquet(path, "SELECT range AS a FROM range(10000)");
    const abort = new AbortController();
    const reading = (async () => {
      for await (const row of readRows(path, { signal: abort.signal })) {
        if (row.fileRow === 10) abort.abort();
      }
    })();
    await expect(reading).rejects.toThrow(/aborted/);
  });
});

describe("stopping", () => {
  const bytesOf: Readonly<Record<string, (path: string) => Promise<void>>> = {
    "x.jsonl": (path) => writeFile(path, '{"a":1}\n{"a":2}\n'.repeat(200_000)),
    "x.jsonl.gz": (path) => writeFile(path, gzipSync('{"a":1}\n{"a":2}\n'.repeat(200_000))),
    "x.json": (path) => writeFile(path, `[${'{"a":1},'.repeat(300_000)}{"a":2}]`),
    "x.csv": (path) => writeFile(path, `a,b\n${"1,2\n".repeat(600_000)}`),
    "x.parquet": (path) => writeParquet(path, "SELECT range AS a FROM range(300000)"),
  };

  it.each(Object.keys(bytesOf))(
    "throws the reason it was stopped for and no fault of %s, before and amid its rows",
    async (name) => {
      const path = join(await temporaryFolder(), name);
      await bytesOf[name]!(path);
      for (const stopAt of [undefined, 0, 5000]) {
        const reason = new Error("user pressed stop");
        const abort = new AbortController();
        if (stopAt === undefined) abort.abort(reason);
        const reading = (async () => {
          for await (const row of readRows(path, { signal: abort.signal })) {
            if (row.fileRow === stopAt) abort.abort(reason);
          }
        })();
        await expect(reading).rejects.toBe(reason);
      }
    },
  );
});

describe("file kinds", () => {
  it("refuses a missing file, a folder and an unknown kind with ConfigError", async () => {
    const folder = await temporaryFolder();
    await expect(collect(readRows(join(folder, "no.jsonl")))).rejects.toBeInstanceOf(ConfigError);
    await expect(collect(readRows(folder))).rejects.toThrow(/got a folder/);
    await expect(rowsOf("x.txt", "hello")).rejects.toThrow(/unknown kind/);
  });
});
