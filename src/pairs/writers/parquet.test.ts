import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { DuckDBInstance } from "@duckdb/node-api";
import { describe, expect, it } from "vitest";

import { collect, temporaryFolder } from "../../../test/support/data-files.ts";
import { readRows } from "../readers/read-rows.ts";
import { rewriteFile } from "./rewrite-file.ts";
import type { FileEdit, RowEdit } from "./row-edit.ts";

const FORMATS = fileURLToPath(new URL("../../../test/golden/messages/formats/", import.meta.url));
const SCORES = { chosen: "score_chosen", rejected: "score_rejected" };

/** What a file says of its columns' types, and its notes. */
async function describeFile(path: string): Promise<{ schema: unknown[]; notes: unknown[] }> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const read = async (sql: string): Promise<unknown[]> =>
    (await connection.runAndReadAll(sql, [path])).getRows();
  const schema = [
    ...(await read(
      "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet($1))",
    )),
    ...(await read("SELECT name, type FROM parquet_schema($1) WHERE num_children IS NULL")),
  ];
  const notes = await read(
    "SELECT decode(key), decode(value) FROM parquet_kv_metadata($1) ORDER BY 1",
  );
  connection.closeSync();
  instance.closeSync();
  return { schema, notes };
}

async function edited(name: string, edit: Partial<FileEdit>, rows: number): Promise<string[]> {
  const folder = await temporaryFolder();
  const [path, target] = [join(folder, name), join(folder, `edited-${name}`)];
  await copyFile(join(FORMATS, name), path);
  const editOf = (row: number): RowEdit =>
    row === 0 ? { kind: "drop" } : { kind: "keep", id: undefined, isSwapped: false };
  await rewriteFile(path, target, { editOf, idColumn: undefined, sides: [], ...edit }, { rows });
  return [path, target];
}

describe("an edited Parquet file", () => {
  it.each([
    ["types.parquet", 3],
    ["datasets.parquet", 16],
  ])("keeps the types and notes of %s", async (name, rows) => {
    const [path, target] = await edited(name, {}, rows);
    expect(await describeFile(target!)).toEqual(await describeFile(path!));
    const fields = (each: string): Promise<unknown[]> =>
      collect(readRows(each)).then((all) => all.map((row) => row.kind === "fields" && row.fields));
    expect(await fields(target!)).toEqual((await fields(path!)).slice(1));
  });

  it("has numbers of one type where two types changed places, and no note of the old ones", async () => {
    const editOf = (row: number): RowEdit => ({
      kind: "keep",
      id: undefined,
      isSwapped: row === 0,
    });
    const [, target] = await edited("types.parquet", { editOf, sides: [SCORES] }, 3);
    const rows = await collect(readRows(target!));
    expect(rows.map((row) => row.kind === "fields" && row.fields)).toMatchObject([
      { score_chosen: 1, score_rejected: 1.5 },
      { score_chosen: 2, score_rejected: 2 },
      { score_chosen: 3, score_rejected: 4 },
    ]);
    expect((await describeFile(target!)).notes).toEqual([]);
  });

  it("tells datasets of the ids that it was given", async () => {
    const editOf = (row: number): RowEdit => ({ kind: "keep", id: `p${row}`, isSwapped: false });
    const [, target] = await edited("types.parquet", { editOf, idColumn: "pair_id" }, 3);
    const { notes } = await describeFile(target!);
    expect(notes).toHaveLength(1);
    expect(JSON.stringify(notes)).toContain('{\\"pair_id\\":{\\"dtype\\":\\"string\\"');
  });

  it("is no fault of the file it is made of where it was stopped, nor where the disk is full", async () => {
    const path = join(FORMATS, "types.parquet");
    const editOf = (): RowEdit => ({ kind: "keep", id: undefined, isSwapped: false });
    const edit = { editOf, idColumn: undefined, sides: [] };
    const reason = new Error("user pressed stop");
    const signal = AbortSignal.abort(reason);
    const target = join(await temporaryFolder(), "edited.parquet");
    await expect(rewriteFile(path, target, edit, { rows: 3, signal })).rejects.toBe(reason);
    const full = rewriteFile(path, "/dev/full", edit, { rows: 3 });
    await expect(full).rejects.toThrow(/^\/dev\/full: the disk is full/);
  });
});
