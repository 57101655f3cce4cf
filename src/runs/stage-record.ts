/** @file What a stage's folder says about itself: `stage.json` once it is done, `working.json` while it is at work. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";

import { z } from "zod";

import { type Cost, costSchema, NO_COST } from "../engine/cost.ts";
import { jsonArtifact } from "../util/artifact.ts";
import { writeFileAtomic } from "../util/atomic-file.ts";
import { hashFile, hashValue } from "../util/hash.ts";
import { ifMissing } from "../util/read-fault.ts";

/** Of a file that is not what it should be. */
const hint = "Delete this stage's folder; the next run makes it again.";
const amount = z.number().nonnegative();

/** Written last: a folder without it is unfinished. */
export const RECORD = jsonArtifact(
  "stage.json",
  "the record of a stage",
  z.strictObject({
    format: z.literal("culprit-stage"),
    kind: z.string(),
    name: z.string(),
    version: z.int(),
    /** The whole hash of which the folder's name has the first 12 digits. */
    key: z.string(),
    settings: z.unknown(),
    /** Content hash of each input. */
    inputs: z.record(z.string(), z.string()),
    /** Hash over the files that count. */
    outputHash: z.string(),
    files: z.array(z.strictObject({ path: z.string(), sha256: z.string(), sizeBytes: amount })),
    cost: costSchema,
    /** What it found, for people; absent in records of earlier versions. */
    shown: z.string().optional(),
    /** When it was finished, ISO 8601. */
    finishedAt: z.string(),
    culpritVersion: z.string(),
  }),
  { hint },
);
export type StageRecord = z.output<typeof RECORD.schema>;

/** The running stage's sign of life: it is at work, or was killed at work. */
export const WORKING = jsonArtifact(
  "working.json",
  "the state of a stage at work",
  z.strictObject({
    pid: z.int(),
    /** The machine that the process runs on. */
    host: z.string(),
    cost: costSchema,
    /** When its process last gave a sign of life, ISO 8601. */
    updatedAt: z.string(),
    /** How far it is, in `unit`. */
    unit: z.string().optional(),
    done: amount.optional(),
    total: amount.optional(),
    /** Units a second in this attempt. */
    rate: amount.optional(),
    /** First line of the error that ended it; absent where it is at work, was killed or was stopped. */
    failure: z.string().optional(),
  }),
  { indent: 0, hint },
);
export type StageWorking = z.output<typeof WORKING.schema>;

/** The hash over files that count: their names and contents. */
export function hashOutputs(files: StageRecord["files"]): string {
  return hashValue(files.map(({ path, sha256 }) => [path, sha256]));
}

/**
 * The record in a stage's folder; undefined where there is none, or where a file that it lists is missing or has another size: then the
 * stage has to run again. Throws FormatError for a record that cannot be read.
 */
export async function readRecord(directory: string): Promise<StageRecord | undefined> {
  const record = await RECORD.find(join(directory, RECORD.name));
  if (record === undefined) return undefined;
  for (const { path, sizeBytes } of record.files) {
    const found = await stat(join(directory, path)).catch(ifMissing);
    if (found?.size !== sizeBytes) return undefined;
  }
  return record;
}

/**
 * What was spent on a stage that is to be made again: what was begun, all of it; of what was made before, only what endpoints took,
 * whose answers are kept.
 */
export async function readEarlierCost(directory: string): Promise<Cost> {
  const working = await WORKING.find(join(directory, WORKING.name));
  if (working !== undefined) return working.cost;
  const { endpoint } = (await RECORD.find(join(directory, RECORD.name)))?.cost ?? {};
  return endpoint === undefined ? NO_COST : { ...NO_COST, endpoint };
}

/** The files of a stage's folder that count, by name. */
export async function listStageOutputs(
  path: string,
  asides: readonly string[],
): Promise<StageRecord["files"]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(path, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter(
      (name) =>
        name !== WORKING.name &&
        name !== RECORD.name &&
        !name.endsWith(".partial") &&
        !asides.some(
          (aside) =>
            name === aside || (/^[./]/.test(name.slice(aside.length)) && name.startsWith(aside)),
        ),
    )
    .toSorted((a, b) => (a < b ? -1 : 1));
  const files: { path: string; sha256: string; sizeBytes: number }[] = [];
  for (const name of names) {
    const file = join(path, name);
    files.push({ path: name, sha256: await hashFile(file), sizeBytes: (await stat(file)).size });
  }
  return files;
}

const SKIPPED_NAME = "skipped.txt";

/** Marks a stage that had nothing to do, such as training on an edit of no pairs; `reason` is one sentence. */
export async function writeSkipped(directory: string, reason: string): Promise<void> {
  await writeFileAtomic(join(directory, SKIPPED_NAME), `${reason}\n`);
}

/** Why a stage did nothing; undefined where it did its work. */
export async function readSkipped(directory: string): Promise<string | undefined> {
  const text = await readFile(join(directory, SKIPPED_NAME), "utf8").catch(ifMissing);
  return text?.trim();
}
