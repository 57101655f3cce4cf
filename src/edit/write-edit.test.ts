import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";

import { DuckDBInstance } from "@duckdb/node-api";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { collect, jsonLines, temporaryFolder } from "../../test/support/data-files.ts";
import { openPairs } from "../pairs/open-pairs.ts";
import type { PreferencePair, UnusableRow } from "../pairs/preference-pair.ts";
import { readRows } from "../pairs/readers/read-rows.ts";
import { PAIR_SHAPES, type PairShape } from "../pairs/shapes/shapes.ts";
import { createRanking } from "../ranking/ranking-file.ts";
import { createRng } from "../util/rng.ts";
import { applyEdit } from "./apply-edit.ts";
import type { Edit } from "./edit.ts";
import { planEdit } from "./plan-edit.ts";
import { type PairSurvey, surveyPairs } from "./survey-pairs.ts";
import { writeEdit } from "./write-edit.ts";

type Row = Record<string, unknown>;
const turn = (role: string, content: string): unknown => ({ role, content });

/** A row of each shape from three texts. */
const ROWS: { readonly [S in PairShape]: (q: string, a: string, b: string) => Row } = {
  "trl-standard": (q, a, b) => ({ prompt: q, chosen: a, rejected: b }),
  "trl-conversational": (q, a, b) => ({
    prompt: [turn("system", "s"), turn("user", q)],
    chosen: [turn("assistant", a)],
    rejected: [turn("assistant", b)],
  }),
  "implicit-prompt": (q, a, b) => ({
    chosen: [turn("user", q), turn("assistant", a)],
    rejected: [turn("user", q), turn("assistant", b)],
  }),
  "olmo-mix": (q, a, b) => ({
    prompt: q,
    chosen: [turn("user", q), turn("assistant", a)],
    rejected: [turn("user", q), turn("assistant", b)],
  }),
  "hh-rlhf": (q, a, b) => ({
    chosen: `\n\nHuman: ${q}\n\nAssistant: ${a}`,
    rejected: `\n\nHuman: ${q}\n\nAssistant: ${b}`,
  }),
  sharegpt: (q, a, b) => ({
    conversations: [{ from: "human", value: q }],
    chosen: { from: "gpt", value: a },
    rejected: { from: "gpt", value: b },
  }),
};

const FORMATS = {
  jsonl: (rows: readonly Row[]) => jsonLines(rows),
  "jsonl.gz": (rows: readonly Row[]) => gzipSync(jsonLines(rows)),
  json: (rows: readonly Row[]) => JSON.stringify(rows, undefined, 1),
  csv: (rows: readonly Row[]) => toCsv(rows, ","),
  tsv: (rows: readonly Row[]) => toCsv(rows, "\t"),
  parquet: undefined,
};
type Format = keyof typeof FORMATS;

function toCsv(rows: readonly Row[], delimiter: string): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cell = (value: unknown): string => {
    const text =
      typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);
    return /["\r\n\t,;]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = rows.map((row) => columns.map((name) => cell(row[name])).join(delimiter));
  return [columns.join(delimiter), ...lines, ""].join("\n");
}

async function writeData(path: string, format: Format, rows: readonly Row[]): Promise<void> {
  const write = FORMATS[format];
  if (write !== undefined) return writeFile(path, write(rows));
  const json = `${path}.json`;
  await writeFile(json, jsonLines(rows));
  await runSql(
    `COPY (FROM read_json('${json}', format = 'newline_delimited')) TO '${path}' (FORMAT parquet)`,
  );
}

async function runSql(sql: string): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const rows = (await connection.runAndReadAll(sql)).getRowsJson();
  connection.closeSync();
  instance.closeSync();
  return rows;
}

/** Texts that break careless writers; the first letter keeps a response from being blank or a transcript's marker. */
function hostileText(format: Format): fc.Arbitrary<string> {
  const isText = format.startsWith("json");
  const piece = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 8 }),
    fc.constantFrom(
      '"',
      "'",
      "\\",
      ",",
      "\t",
      ";",
      "\n",
      "\r\n",
      "\u2028",
      '"chosen":',
      "#2",
      "{[",
      "]}",
    ),
    ...(isText ? [fc.constantFrom("\ud800", "\u0000", "\udfff")] : []),
  );
  return fc
    .array(piece, { maxLength: 4 })
    .map((parts) => `t${parts.join("")}`)
    .filter((text) => isText || !text.includes("\u0000"));
}

/** Rows with and without ids, repeats, unusable rows, side columns. */
function dataSet(shape: PairShape, format: Format): fc.Arbitrary<Row[]> {
  const text = hostileText(format);
  const id = fc.oneof(
    fc.constant({}),
    fc.record({ id: fc.oneof(text, fc.constantFrom("__proto__", "a", "a#2", "")) }),
  );
  const more = fc.record({
    source: fc.constantFrom("s1", "s2"),
    chosen_model: text,
    rejected_model: text,
    "score-chosen": fc.integer(),
    "score-rejected": fc.integer(),
    note: text,
  });
  const anyRow = fc
    .tuple(text, text, text, id, more, fc.integer({ min: 0, max: 9 }))
    .map(([q, a, b, ids, rest, odd]): Row => {
      // One in ten has the same response twice and is unusable.
      const made = { ...ids, ...ROWS[shape](q, `1${a}`, odd === 0 ? `1${a}` : `2${b}`), ...rest };
      return withoutModels(shape, made);
    });
  const repeated = fc
    .array(anyRow, { minLength: 8, maxLength: 24 })
    .map((rows) => [...rows, rows[0]!, rows[1]!]);
  // DuckDB takes the types of a column from its values.
  const first = withoutModels(shape, { ...ROWS[shape]("tq", "1a", "2b"), ...FIRST });
  return repeated.map((rows) => [first, ...rows]);
}

const FIRST = {
  source: "s1",
  chosen_model: "m",
  rejected_model: "n",
  "score-chosen": 1,
  "score-rejected": 2,
  note: "x",
};

/** With generators' names whole conversations are another shape. */
function withoutModels(shape: PairShape, row: Row): Row {
  if (shape !== "implicit-prompt") return row;
  const { chosen_model: chosenAuthor, rejected_model: rejectedAuthor, ...rest } = row;
  return { ...rest, chosenAuthor, rejectedAuthor };
}

/** Pairs without their places, and unusable rows by reason. */
function contentOf(row: PreferencePair | UnusableRow): unknown {
  return row.kind === "pair" ? { ...row, row: 0, file: "", fileRow: 0 } : row.reason;
}

async function readContents(path: string, shape: PairShape): Promise<unknown[]> {
  return (await collect((await openPairs([path], { shape })).read())).map(contentOf);
}

function edit(action: Edit["action"], ids: readonly string[]): Edit {
  const nothing = { top: undefined, seed: undefined, by: undefined, sources: undefined };
  return {
    ...nothing,
    action,
    pick: "chosen",
    ids,
    groups: [],
    ties: undefined,
    unranked: 0,
    warnings: [],
  };
}

const CASES = PAIR_SHAPES.flatMap((shape) =>
  (Object.keys(FORMATS) as Format[]).map((format) => [shape, format] as const),
);

describe.each(CASES)("%s as %s", (shape, format) => {
  it("is written as the edit leaves it, every id kept; swapping twice gives the data back", async () => {
    await fc.assert(
      fc.asyncProperty(dataSet(shape, format), fc.integer(), async (rows, seed) => {
        const folder = await temporaryFolder();
        const path = join(folder, `data.${format}`);
        await writeData(path, format, rows);
        const pairs = await openPairs([path], { shape });
        const before = await collect(pairs.read());
        const survey = await surveyPairs(pairs);
        const rng = createRng(seed);
        const ids = survey.table.ids.filter((_, i) => i > 0 && rng.uniform() < 0.4);

        const filtered = join(folder, `filtered.${format}`);
        await writeEdit(survey, edit("filter", ids), { out: filtered });
        const left = await collect(applyEdit(before, { action: "filter", ids }, shape));
        expect(await readContents(filtered, shape)).toEqual(left.map(contentOf));

        const swapped = join(folder, `swapped.${format}`);
        await writeEdit(survey, edit("swap", ids), { out: swapped });
        const turned = await collect(applyEdit(before, { action: "swap", ids }, shape));
        expect(await readContents(swapped, shape)).toEqual(turned.map(contentOf));

        const back = join(folder, `back.${format}`);
        const again = await surveyPairs(await openPairs([swapped], { shape }));
        expect(again.table.ids).toEqual(survey.table.ids);
        await writeEdit(again, edit("swap", ids), { out: back });
        expect(await readContents(back, shape)).toEqual(before.map(contentOf));
        const fields = async (file: string): Promise<unknown[]> =>
          (await collect(readRows(file))).map((each) =>
            each.kind === "fields" ? { ...each.fields, id: "" } : each.reason,
          );
        expect(await fields(back)).toEqual(await fields(path));
      }),
      { numRuns: 1 },
    );
  }, 60_000);
});

/** A data set in a file of its own, surveyed. */
async function surveyOf(
  name: string,
  content: string | Uint8Array,
): Promise<{ folder: string; path: string; survey: PairSurvey }> {
  const folder = await temporaryFolder();
  const path = join(folder, name);
  await writeFile(path, content);
  return { folder, path, survey: await surveyPairs(await openPairs([path])) };
}

const row = (n: number, more: Row = {}): Row => ({
  prompt: `q${n}`,
  chosen: `good ${n}`,
  rejected: `bad ${n}`,
  ...more,
});

describe("rows", () => {
  const idsOf = async (path: string): Promise<string[]> =>
    (await collect((await openPairs([path])).read())).map((each) =>
      each.kind === "pair" ? each.id : each.reason,
    );

  it("that are not edited and have an id stay byte for byte, broken ones too", async () => {
    const lines = [
      '{ "id":"a",  "prompt":"q", "chosen":"x\\u00e9", "rejected":"y", "n": 12345678901234567890.10 }',
      '{"prompt": broken "chosen"',
      '{"id":"b","prompt":"q2","chosen":"x","rejected":"x"}',
      '{"id":"c","prompt":"q","rejected":"\\"n\\\\","chosen":"x","n":1e2,"deep":[{"chosen":"]}"}],"z":-0.0}',
    ];
    const data = await surveyOf("x.jsonl", `\ufeff${lines.join("\r\n")}\n\n`);
    const out = join(data.folder, "out.jsonl");
    await writeEdit(data.survey, edit("swap", ["c"]), { out });
    const written = (await readFile(out, "utf8")).split("\n");
    expect(written.slice(0, 3)).toEqual(lines.slice(0, 3));
    // Values change places as they are written.
    expect(written[3]).toBe(
      '{"id":"c","prompt":"q","rejected":"x","chosen":"\\"n\\\\","n":1e2,"deep":[{"chosen":"]}"}],"z":-0.0}',
    );
    expect(written.slice(4)).toEqual([""]);
  });

  it("get ids written only where they need one, where it is read first, as text beside text", async () => {
    const rows = [
      row(1),
      row(2, { id: null, pair_id: "p" }),
      row(3, { pair_id: "p" }),
      row(4, { id: "x".repeat(201), pair_id: "" }),
    ];
    const data = await surveyOf("x.jsonl", jsonLines(rows));
    const ids = await idsOf(data.path);
    const out = join(data.folder, "out.jsonl");
    await writeEdit(data.survey, edit("filter", []), { out });
    const written = (await readFile(out, "utf8")).trim().split("\n");
    expect(written.map((line) => JSON.parse(line) as Row)).toEqual([
      { ...rows[0], pair_id: ids[0] },
      rows[1],
      { ...rows[2], pair_id: "p#2" },
      { ...rows[3], pair_id: ids[3] },
    ]);
    expect(await idsOf(out)).toEqual(ids);

    const numbers = await surveyOf("n.jsonl", jsonLines([1, 2, 1].map((id) => row(id, { id }))));
    const text = join(numbers.folder, "out.jsonl");
    await writeEdit(numbers.survey, edit("filter", ["1"]), { out: text });
    expect(
      (await collect(readRows(text))).map((each) => each.kind === "fields" && each.fields["id"]),
    ).toEqual(["2", "1#2"]);
  });

  it("cannot take ids where the columns for them hold something else", async () => {
    const long = "x".repeat(201);
    const rows = [row(1, { id: long, pair_id: [1], uuid: true })];
    const path = join(await temporaryFolder(), "x.jsonl");
    await writeFile(path, jsonLines(rows));
    await expect(surveyPairs(await openPairs([path]))).rejects.toThrow(/to be free for ids/);
  });

  it("keep what only one side has with that side", async () => {
    const rows = [row(1, { id: "a", chosen_model: "m" }), row(2, { id: "b", rejected_model: "n" })];
    const data = await surveyOf("x.jsonl", jsonLines(rows));
    const out = join(data.folder, "out.jsonl");
    await writeEdit(data.survey, edit("swap", ["a"]), { out });
    expect((await readFile(out, "utf8")).split("\n")[0]).toBe(
      '{"prompt":"q1","chosen":"bad 1","rejected":"good 1","id":"a","rejected_model":"m"}',
    );
  });

  it("of CSV keep their quotes, and broken ones stay broken beside a new id column", async () => {
    const text =
      'prompt,chosen,rejected\r\n"q,1",a,"b ""x"""\r\nq,a\r\nq,a,b,too many\r\nq2,"c\nd",e\r\n';
    const data = await surveyOf("x.csv", text);
    const [first, , , last] = await idsOf(data.path);
    const out = join(data.folder, "out.csv");
    await writeEdit(data.survey, edit("swap", [last!]), { out });
    expect(await readFile(out, "utf8")).toBe(
      `id,prompt,chosen,rejected\n${first},"q,1",a,"b ""x"""\n,q,a\n,q,a,b,too many\n${last},q2,e,"c\nd"\n`,
    );
  });

  it("too many for a limit are left out, and nothing else is", async () => {
    const { folder, path } = await surveyOf("x.jsonl", jsonLines([1, 2, 3].map((n) => row(n))));
    const limited = await surveyPairs(await openPairs([path], { limit: 2 }));
    const out = join(folder, "out.jsonl");
    await writeEdit(limited, edit("filter", []), { out });
    expect(await idsOf(out)).toEqual((await idsOf(path)).slice(0, 2));
  });

  it("of Parquet keep nested types, and ids that are numbers become text beside written ones", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "it's.parquet");
    await runSql(`COPY (SELECT range % 2 AS id, [{role: 'user', content: 'q' || range}] AS prompt,
      {role: 'assistant', content: 'a' || range} AS chosen, {role: 'assistant', content: 'b'} AS rejected,
      1.5::FLOAT AS chosen_score, 2::DOUBLE AS rejected_score, MAP {'k': range} AS "m ""x""", '\\x01'::BLOB AS raw
      FROM range(3)) TO '${path.replaceAll("'", "''")}' (FORMAT parquet)`);
    const data = await surveyPairs(await openPairs([path]));
    const out = join(folder, "out.parquet");
    await writeEdit(data, edit("swap", ["0#2"]), { out });
    const types = await runSql(`SELECT column_name, column_type FROM (DESCRIBE FROM '${out}')`);
    expect(types).toEqual([
      ["id", "VARCHAR"],
      ["prompt", 'STRUCT("role" VARCHAR, "content" VARCHAR)[]'],
      ["chosen", 'STRUCT("role" VARCHAR, "content" VARCHAR)'],
      ["rejected", 'STRUCT("role" VARCHAR, "content" VARCHAR)'],
      ["chosen_score", "DOUBLE"],
      ["rejected_score", "DOUBLE"],
      ['m "x"', "MAP(VARCHAR, BIGINT)"],
      ["raw", "BLOB"],
    ]);
    const rows = await runSql(`SELECT id, chosen.content, chosen_score FROM '${out}'`);
    expect(rows).toEqual([
      ["0", "a0", 1.5],
      ["1", "a1", 1.5],
      ["0#2", "b", 2],
    ]);
  });
});

describe("what is written", () => {
  it("is a folder of as many files, a list of ids and a manifest, the same every time", async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, "a"));
    await mkdir(join(folder, "b"));
    const rows = Array.from({ length: 8 }, (_, n) => row(n, { source: `s${n % 2}` }));
    await writeFile(join(folder, "a", "x.jsonl.gz"), gzipSync(jsonLines(rows.slice(0, 4))));
    await writeFile(join(folder, "b", "x.jsonl.gz"), gzipSync(jsonLines(rows.slice(4))));
    const surveyed = await surveyPairs(await openPairs([join(folder, "*", "*.gz")]));
    const ranking = createRanking(
      surveyed.table.ids,
      rows.map((_, i) => i % 3),
    );
    const plan = planEdit(surveyed.table, { action: "filter", top: 3 }, ranking);
    const out = join(folder, "out");
    const { manifest, files } = await writeEdit(surveyed, plan, { out: `${out}/`, ranking });
    expect(files).toEqual([join(out, "a", "x.jsonl.gz"), join(out, "b", "x.jsonl.gz")]);
    expect((await readdir(folder)).toSorted()).toEqual([
      "a",
      "b",
      "out",
      "out.ids.jsonl",
      "out.manifest.json",
    ]);
    expect(await readFile(`${out}.ids.jsonl`, "utf8")).toBe(
      jsonLines(plan.ids.map((id) => ({ id }))),
    );
    expect(JSON.parse(await readFile(`${out}.manifest.json`, "utf8"))).toEqual(
      JSON.parse(JSON.stringify(manifest)),
    );
    expect(manifest).toMatchObject({
      action: "filter",
      top: 3,
      rows: { pairs: 8, edited: 3, left: 5, unusable: 0, idsWritten: 8 },
      groups: [
        { group: "s1", pairs: 4, edited: 2 },
        { group: "s0", pairs: 4, edited: 1 },
      ],
      ties: { inside: 1, outside: 2 },
    });
    const bytes = await readFile(files[0]!);
    expect(gunzipSync(bytes).toString().split("\n")).toHaveLength(3);
    const second = await writeEdit(surveyed, plan, { out, ranking, force: true });
    expect([second.manifest, await readFile(files[0]!)]).toEqual([manifest, bytes]);
  });

  it("is not there after a failure or an abort, and what was there before is", async () => {
    const data = await surveyOf("x.jsonl", jsonLines([1, 2, 3].map((n) => row(n))));
    const out = join(data.folder, "out.jsonl");
    await writeFile(out, "old");
    const changed = { ...data.survey, ids: data.survey.ids.toReversed() };
    await expect(writeEdit(changed, edit("filter", []), { out, force: true })).rejects.toThrow(
      /row 0: expected the edited data to hold this row as the edit leaves it, got a row of another id/,
    );
    await expect(
      writeEdit(data.survey, edit("filter", ["zz"]), { out, force: true }),
    ).rejects.toThrow(/1 of the edit's pairs missing/);
    const signal = AbortSignal.abort();
    await expect(
      writeEdit(data.survey, edit("filter", []), { out, force: true, signal }),
    ).rejects.toThrow(/abort/i);
    expect(await readFile(out, "utf8")).toBe("old");
    expect((await readdir(data.folder)).toSorted()).toEqual(["out.jsonl", "x.jsonl"]);
  });

  it("never replaces the data, nor anything else unless told to, and keeps the format", async () => {
    const data = await surveyOf("x.jsonl", jsonLines([row(1), row(2)]));
    const write = (out: string): Promise<unknown> =>
      writeEdit(data.survey, edit("filter", []), { out, force: true });
    await expect(write(data.path)).rejects.toThrow(/would be overwritten/);
    await expect(write(data.folder)).rejects.toThrow(/would be overwritten/);
    await expect(write(join(data.folder, "y.csv"))).rejects.toThrow(
      /expected a name ending in \.jsonl/,
    );
    await expect(write(join(data.folder, "no", "y.jsonl"))).rejects.toThrow(/no such folder/);
    await expect(write(join(data.path, "y"))).rejects.toThrow(/got one beneath the file/);
    await mkdir(join(data.folder, "folder.jsonl"));
    await expect(write(join(data.folder, "folder.jsonl"))).rejects.toThrow(
      /folder\.jsonl: expected a file for --out, got a folder/,
    );
    await mkdir(join(data.folder, "y"));
    await expect(
      writeEdit(data.survey, edit("filter", []), { out: join(data.folder, "y") }),
    ).rejects.toThrow(/exists already/);
  });
});
