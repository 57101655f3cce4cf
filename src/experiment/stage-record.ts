/** @file What a stage's folder says about itself: `stage.json` once it is done, `working.json` while it is at work. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";

import { z } from "zod";

import { type Cost, NO_COST } from "../engine/cost.ts";
import { writeFileAtomic } from "../util/atomic-file.ts";
import { FormatError } from "../util/errors.ts";
import { hashValue } from "../util/hash.ts";
import { STAGE_KINDS } from "./stage.ts";

/** Written last: a folder without it is unfinished. */
export const RECORD_NAME = "stage.json";
/** The running stage's sign of life. */
export const WORKING_NAME = "working.json";

const amount = z.number().nonnegative();
const costSchema = z.strictObject({
  seconds: amount,
  tokens: amount,
  flops: amount,
  endpoint: z
    .strictObject({
      requests: amount,
      answers: amount.optional(),
      failed: amount.optional(),
      promptTokens: amount,
      completionTokens: amount,
      estimated: amount.optional(),
      money: amount.optional(),
    })
    .optional(),
});

const recordSchema = z.strictObject({
  format: z.literal("culprit-stage"),
  kind: z.enum(STAGE_KINDS),
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
  /** When it was finished, ISO 8601. */
  finishedAt: z.string(),
  culpritVersion: z.string(),
});
/** A finished stage. */
export type StageRecord = Readonly<z.infer<typeof recordSchema>>;

const workingSchema = z.strictObject({
  pid: z.int(),
  /** The machine that the process runs on. */
  host: z.string(),
  cost: costSchema,
  /** ISO 8601. */
  updatedAt: z.string(),
  unit: z.string().optional(),
  done: amount.optional(),
  total: amount.optional(),
  /** First line of the error that ended it; absent where it is at work, was killed or was stopped. */
  failure: z.string().optional(),
});
/** A stage at work, or one that was killed at work. */
export type StageWorking = Readonly<z.infer<typeof workingSchema>>;

/** The hash over files that count: their names and contents. */
export function hashOutputs(files: StageRecord["files"]): string {
  return hashValue(files.map(({ path, sha256 }) => [path, sha256]));
}

/**
 * The record in a stage's folder; undefined where there is none, or where a file that it lists is missing or has another size: then the
 * stage has to run again. Throws FormatError for a record that cannot be read.
 */
export async function readRecord(directory: string): Promise<StageRecord | undefined> {
  const record = await readJson(join(directory, RECORD_NAME), recordSchema);
  if (record === undefined) return undefined;
  for (const { path, sizeBytes } of record.files) {
    const found = await stat(join(directory, path)).catch(ignoreMissing);
    if (found?.size !== sizeBytes) return undefined;
  }
  return record;
}

/**
 * What was spent on a stage that is to be made again: what was begun, all of it; of what was made before, only what endpoints took,
 * whose answers are kept.
 */
export async function readEarlierCost(directory: string): Promise<Cost> {
  const working = await readWorking(directory);
  if (working !== undefined) return working.cost;
  const { endpoint } = (await readJson(join(directory, RECORD_NAME), recordSchema))?.cost ?? {};
  return endpoint === undefined ? NO_COST : { ...NO_COST, endpoint };
}

export async function writeRecord(directory: string, record: StageRecord): Promise<void> {
  await writeFileAtomic(join(directory, RECORD_NAME), `${JSON.stringify(record, undefined, 2)}\n`);
}

/** What a stage at work last said; undefined where it has not begun. */
export async function readWorking(directory: string): Promise<StageWorking | undefined> {
  return readJson(join(directory, WORKING_NAME), workingSchema);
}

export async function writeWorking(directory: string, working: StageWorking): Promise<void> {
  await writeFileAtomic(join(directory, WORKING_NAME), `${JSON.stringify(working)}\n`);
}

async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const text = await readFile(path, "utf8").catch(ignoreMissing);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw damaged(path, "expected JSON, got something else", error);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw damaged(path, `${issue!.path.join(".")}: ${issue!.message}`, parsed.error);
}

function damaged(path: string, problem: string, cause: unknown): FormatError {
  return new FormatError(`${path}: ${problem}`, {
    hint: "Delete this stage's folder; the next run makes it again.",
    cause,
  });
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
  throw error;
}
