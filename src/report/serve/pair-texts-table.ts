/** @file The texts of all pairs of a run in its database: one reading of the pair files. */
import { open } from "node:fs/promises";
import { join } from "node:path";

import { readFully } from "../../format/safetensors.ts";
import type { PairSet } from "../../pairs/open-pairs.ts";
import { promptKey } from "../../pairs/prompt-key.ts";
import type { JobOptions } from "../../util/progress.ts";
import { isNearIdentical, repeatKey } from "../pair-marks.ts";
import { previewOf } from "../pair-table.ts";
import { describePair, NAMED, type PairText } from "../pair-texts.ts";
import type { PairDatabase } from "./pair-database.ts";

/** Digits of a prompt's hash, by which pairs with the same are found. */
const PROMPT_DIGITS = 16;

/** Beside the database: a JSON text of each pair, one behind the other. Texts inside DuckDB take several times its memory limit to write. */
const BODIES = "texts.json";
/** Bytes that are written at once. */
const BLOCK = 4 << 20;

/** Fills the table `texts`: what the table of pairs shows, and where all of a pair stands in the file beside it. Without pairs it is empty. */
export async function fillTexts(
  database: PairDatabase,
  pairs: PairSet | undefined,
  planted: ReadonlySet<string> | undefined,
  { signal, progress }: JobOptions,
): Promise<void> {
  await database.run(
    "CREATE TABLE texts (id VARCHAR, preview VARCHAR, prompt UBIGINT, planted BOOLEAN, first DOUBLE, bytes INTEGER, content UBIGINT, near_identical BOOLEAN)",
  );
  if (pairs === undefined) return createShared(database);
  const table = await database.append("texts", [
    "VARCHAR",
    "VARCHAR",
    "UBIGINT",
    "BOOLEAN",
    "DOUBLE",
    "INTEGER",
    "UBIGINT",
    "BOOLEAN",
  ]);
  await using file = await open(join(database.folder, BODIES), "w");
  // One buffer for all: a new one for each text is garbage as large as the data.
  let block = Buffer.allocUnsafe(BLOCK);
  let [read, first, size] = [0, 0, 0];
  const write = async (): Promise<void> => {
    await file.appendFile(block.subarray(0, size));
    size = 0;
  };
  for await (const pair of pairs.read({ signal })) {
    progress?.update(++read, undefined);
    if (pair.kind !== "pair") continue;
    const { samePrompt: _, ...text } = describePair(pair, { count: 0, ids: [] });
    const body = JSON.stringify(text);
    const most = 3 * body.length; // of UTF-8
    if (size + most > block.length) await write();
    if (most > block.length) block = Buffer.allocUnsafe(most);
    const bytes = block.write(body, size);
    const key = promptKey(pair.prompt, pair.context);
    const prompt = BigInt(`0x${key.slice(0, PROMPT_DIGITS)}`);
    const isPlanted = planted?.has(pair.id) === true;
    const content = BigInt(`0x${repeatKey(pair, key)}`);
    const isNear = isNearIdentical(pair);
    const preview = previewOf(pair.prompt);
    table.add([pair.id, preview, prompt, isPlanted, first, bytes, content, isNear]);
    first += bytes;
    size += bytes;
  }
  await write();
  table.close();
  await createShared(database);
  progress?.end();
}

/** The prompts and the contents that several pairs have. */
async function createShared(database: PairDatabase): Promise<void> {
  for (const [name, column] of [
    ["prompts", "prompt"],
    ["contents", "content"],
  ] as const) {
    await database.run(
      `CREATE TABLE ${name} AS SELECT ${column} FROM texts GROUP BY ${column} HAVING count(*) > 1`,
    );
  }
}

/** The text of a pair with the others of its prompt; undefined where the files lack it. */
export async function readText(database: PairDatabase, id: string): Promise<PairText | undefined> {
  const [found] = await database.rows("SELECT first, bytes FROM texts WHERE id = $1", [id]);
  if (found === undefined) return undefined;
  const path = join(database.folder, BODIES);
  const body = new Uint8Array(Number(found[1]));
  {
    await using file = await open(path);
    await readFully(file, body, { position: Number(found[0]), name: path });
  }
  const others =
    "FROM texts WHERE prompt = (SELECT prompt FROM texts WHERE id = $1 LIMIT 1) AND id <> $1";
  const [counted] = await database.rows(`SELECT count(*) ${others}`, [id]);
  const named = await database.rows(`SELECT id ${others} ORDER BY rowid LIMIT ${NAMED}`, [id]);
  const samePrompt = { count: Number(counted![0]), ids: named.map(([each]) => String(each)) };
  const [same] = await database.rows(
    "SELECT id FROM texts WHERE content = (SELECT content FROM texts WHERE id = $1 LIMIT 1) AND id <> $1 ORDER BY rowid LIMIT 1",
    [id],
  );
  const text = JSON.parse(Buffer.from(body).toString("utf8")) as Omit<PairText, "samePrompt">; // as fillTexts wrote it
  return { ...text, samePrompt, ...(same && { repeats: String(same[0]) }) };
}
