/** @file The list of pairs whose gradient is not finite, beside the shards, where their vectors are zeros. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { writeFileAtomic } from "../util/atomic-file.ts";

export const NOT_FINITE_NAME = "not-finite.jsonl";

interface NotFinite {
  readonly id: string;
  readonly file: string;
  /** Row of the pair in its file. */
  readonly fileRow: number;
  /** The first layer at which a number is not finite. */
  readonly layer: number;
}

/** Adds pairs to the list; those that are on it stay once. */
export async function addNotFinite(directory: string, pairs: readonly NotFinite[]): Promise<void> {
  if (pairs.length === 0) return;
  const all = new Map([
    ...(await readNotFinite(directory)),
    ...pairs.map((each) => [each.id, each] as const),
  ]);
  const lines = [...all.values()].map((each) => `${JSON.stringify(each)}\n`);
  await writeFileAtomic(join(directory, NOT_FINITE_NAME), lines.join(""));
}

/** The list by id, empty where there is none. */
export async function readNotFinite(directory: string): Promise<ReadonlyMap<string, NotFinite>> {
  const path = join(directory, NOT_FINITE_NAME);
  if (!existsSync(path)) return new Map();
  const lines = (await readFile(path, "utf8")).split("\n").filter((line) => line !== "");
  const found = lines.map((line) => JSON.parse(line) as NotFinite); // written whole, by this file
  return new Map(found.map((each) => [each.id, each]));
}
