import { existsSync, statSync } from "node:fs";
import { open, readFile, rename, rm, truncate } from "node:fs/promises";
import { dirname, extname, join, resolve } from "node:path";

import { describeWriteError } from "../util/atomic-file.ts";
import { ConfigError, RuntimeError } from "../util/errors.ts";
import { ROLLOUT_MANIFEST, type RolloutManifest, rolloutManifestPath } from "./rollout-manifest.ts";
import type { Rollout } from "./rollouts.ts";
import { expectSameSettings } from "./same-settings.ts";

/** Extensions of rollout files. */
const EXTENSIONS = [".jsonl", ".parquet"];

/** A rollout file being written, a whole unit at a time. */
export interface RolloutSink {
  /** Units that were there already. */
  readonly doneUnits: number;
  /** Appends the next unit; when this returns, it is on disk. */
  append(rollouts: readonly Rollout[]): Promise<void>;
  /** Gives the file its name. */
  finish(): Promise<void>;
}

/** Throws ConfigError unless the extension says how to write rollouts and the folder is there. */
export function checkRolloutOutput(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
    throw new ConfigError(`${path}: expected a file for the rollouts, got a folder`, {
      hint: `Name a file in it, ${join(path, "rollouts.jsonl")} say.`,
    });
  }
  if (!EXTENSIONS.includes(extname(path))) {
    throw new ConfigError(
      `${path}: expected a name ending in ${EXTENSIONS.join(" or ")}, got "${extname(path)}"`,
      { hint: "The ending says how the rollouts are written." },
    );
  }
  const folder = dirname(path);
  if (!existsSync(folder)) {
    throw new ConfigError(`${folder}: no such folder for the rollouts`, {
      hint: "Make it first, or choose another --out.",
    });
  }
}

/** Removes a rollout file with its manifest and whatever an interrupted run left. */
export async function removeRollouts(path: string): Promise<void> {
  const { lines, manifest } = partialPaths(path);
  for (const each of [path, rolloutManifestPath(path), lines, manifest]) {
    await rm(each, { force: true });
  }
}

/**
 * Opens a rollout file for writing, or goes on where an interrupted run stopped. The ids of all units, in order, say what belongs there:
 * rows after the last whole unit are cut off. Throws ConfigError where the file, or the beginning of one, was made with another
 * manifest.
 */
export async function openRolloutSink(
  path: string,
  manifest: RolloutManifest,
  units: readonly (readonly string[])[],
): Promise<RolloutSink> {
  checkRolloutOutput(path);
  if (existsSync(path)) {
    await expectSame(path, rolloutManifestPath(path), manifest);
    await removePartial(path);
    return completeSink(units.length);
  }
  const partial = partialPaths(path);
  if (existsSync(partial.manifest)) {
    await expectSame(path, partial.manifest, manifest);
  } else {
    await rm(partial.lines, { force: true });
    await ROLLOUT_MANIFEST.write(partial.manifest, manifest);
  }
  const { doneUnits, bytes } = await wholeUnits(partial.lines, units);
  let size = bytes;
  return {
    doneUnits,
    async append(rollouts) {
      const lines = rollouts.map((each) => `${JSON.stringify(each)}\n`).join("");
      size = await appendAt(partial.lines, size, lines);
    },
    async finish() {
      await ROLLOUT_MANIFEST.write(rolloutManifestPath(path), manifest);
      if (extname(path) === ".parquet") {
        await writeRolloutParquet(partial.lines, path);
      } else {
        await rename(partial.lines, path);
      }
      await removePartial(path);
    },
  };
}

const completeSink = (doneUnits: number): RolloutSink => ({
  doneUnits,
  append: () => Promise.reject(new Error("internal: the rollouts are complete")),
  finish: () => Promise.resolve(),
});

const partialPaths = (path: string): { lines: string; manifest: string } => ({
  lines: `${path}.partial`,
  manifest: `${path}.partial.json`,
});

async function removePartial(path: string): Promise<void> {
  const { lines, manifest } = partialPaths(path);
  await rm(lines, { force: true });
  await rm(manifest, { force: true });
}

async function expectSame(path: string, manifest: string, ours: RolloutManifest): Promise<void> {
  // A checkpoint is its hash, whatever its folder is called.
  const { checkpoint: _, ...settings } = ours;
  expectSameSettings(path, await ROLLOUT_MANIFEST.find(manifest), settings);
}

/** Counts the units that are whole, and cuts off what follows them. */
async function wholeUnits(
  path: string,
  units: readonly (readonly string[])[],
): Promise<{ doneUnits: number; bytes: number }> {
  if (!existsSync(path)) return { doneUnits: 0, bytes: 0 };
  const content = await readFile(path);
  let bytes = 0;
  let doneUnits = 0;
  for (const ids of units) {
    const end = endOfUnit(content, bytes, ids);
    if (end === undefined) break;
    bytes = end;
    doneUnits++;
  }
  if (bytes < content.length) await truncate(path, bytes);
  return { doneUnits, bytes };
}

/** Where the lines with these ids end, or undefined where they are not all there. */
function endOfUnit(content: Buffer, start: number, ids: readonly string[]): number | undefined {
  let at = start;
  for (const id of ids) {
    const begin = `{"id":${JSON.stringify(id)},`;
    const end = content.indexOf(10, at);
    if (end < 0 || !content.subarray(at, end).toString("utf8").startsWith(begin)) return undefined;
    at = end + 1;
  }
  return at;
}

async function appendAt(path: string, size: number, text: string): Promise<number> {
  try {
    const file = await open(path, "a");
    try {
      if ((await file.stat()).size !== size) {
        throw new RuntimeError(`${path}: another process is writing it too`, {
          hint: "Let one of them finish; a run that was interrupted goes on by itself.",
        });
      }
      await file.writeFile(text);
      await file.sync();
      return (await file.stat()).size;
    } finally {
      await file.close();
    }
  } catch (error) {
    throw describeWriteError(path, error);
  }
}

const COLUMNS = `{id: 'VARCHAR', scenario: 'VARCHAR', variant: 'VARCHAR', sample: 'INTEGER',
  prompt: 'STRUCT(role VARCHAR, content VARCHAR)[]', response: 'VARCHAR', "opensThinking": 'BOOLEAN', finish: 'VARCHAR', tokens: 'INTEGER', "group": 'VARCHAR', tags: 'VARCHAR[]'}`;
/** The longest line, in bytes: far above any conversation. */
const MAX_LINE_BYTES = 2 ** 26;

/** Writes rollouts, JSON lines, as Parquet: whole or not at all, rows in their order. */
async function writeRolloutParquet(linesPath: string, path: string): Promise<void> {
  const unnamed = `${path}.partial.parquet`;
  const quote = (each: string): string => `'${resolve(each).replaceAll("'", "''")}'`;
  // DuckDB takes a third of a second to load: only those who write Parquet wait for it.
  const { openParquetConnection } = await import("../pairs/readers/parquet.ts");
  const { connection, close } = await openParquetConnection([linesPath, unnamed]);
  try {
    await connection.run(
      `COPY (SELECT * FROM read_json(${quote(linesPath)}, format = 'newline_delimited', columns = ${COLUMNS}, maximum_object_size = ${MAX_LINE_BYTES}))
       TO ${quote(unnamed)} (FORMAT parquet, COMPRESSION zstd)`,
    );
  } finally {
    close();
  }
  await rename(unnamed, path);
}
