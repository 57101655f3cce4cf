/** @file The texts of all pairs of a run in its database: one reading of the pair files. */
import type { PairSet } from "../../pairs/open-pairs.ts";
import { hashValue } from "../../util/hash.ts";
import type { JobOptions } from "../../util/progress.ts";
import { previewOf } from "../pair-table.ts";
import { describePair, NAMED, type PairText } from "../pair-texts.ts";
import type { PairDatabase } from "./pair-database.ts";

/** Digits of a prompt's hash, by which pairs with the same are found. */
const PROMPT_DIGITS = 16;

/** Fills the tables `texts` (what the table of pairs shows) and `bodies` (all of a pair); the same table without pairs where there are none. */
export async function fillTexts(
  database: PairDatabase,
  pairs: PairSet | undefined,
  planted: ReadonlySet<string> | undefined,
  { signal, progress }: JobOptions,
): Promise<void> {
  await database.run(
    "CREATE TABLE texts (id VARCHAR, preview VARCHAR, prompt VARCHAR, planted BOOLEAN)",
  );
  await database.run("CREATE TABLE bodies (id VARCHAR, body VARCHAR)");
  if (pairs === undefined) return;
  const texts = await database.append("texts", ["VARCHAR", "VARCHAR", "VARCHAR", "BOOLEAN"]);
  const bodies = await database.append("bodies", ["VARCHAR", "VARCHAR"]);
  let read = 0;
  for await (const pair of pairs.read({ signal })) {
    progress?.update(++read, undefined);
    if (pair.kind !== "pair") continue;
    const { samePrompt: _, ...text } = describePair(pair, { count: 0, ids: [] });
    const prompt = hashValue(pair.prompt).slice(0, PROMPT_DIGITS);
    texts.add([pair.id, previewOf(pair.prompt), prompt, planted?.has(pair.id) === true]);
    bodies.add([pair.id, JSON.stringify(text)]);
  }
  texts.close();
  bodies.close();
  progress?.end();
}

/** The text of a pair with the others of its prompt; undefined where the files lack it. */
export async function readText(database: PairDatabase, id: string): Promise<PairText | undefined> {
  const [found] = await database.rows("SELECT body FROM bodies WHERE id = $1", [id]);
  if (found === undefined) return undefined;
  const others =
    "FROM texts WHERE prompt = (SELECT prompt FROM texts WHERE id = $1 LIMIT 1) AND id <> $1";
  const [counted] = await database.rows(`SELECT count(*) ${others}`, [id]);
  const named = await database.rows(`SELECT id ${others} ORDER BY rowid LIMIT ${NAMED}`, [id]);
  const samePrompt = { count: Number(counted![0]), ids: named.map(([each]) => String(each)) };
  // As fillTexts wrote it.
  return { ...(JSON.parse(String(found[0])) as Omit<PairText, "samePrompt">), samePrompt };
}
