/** @file Folders to write into: made with words for why they cannot be, and tried before the work that needs them. */
import { mkdtempSync, rmdirSync, statSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import { describeWriteError } from "./atomic-file.ts";
import { ConfigError, RuntimeError } from "./errors.ts";

/** Makes a folder and those above it. Throws ConfigError where a file is in the way, RuntimeError where it cannot be made. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException; // what mkdir throws
    if (code === "EEXIST" || code === "ENOTDIR") {
      const got = code === "EEXIST" ? "a file" : "a path through a file";
      throw new ConfigError(`${path}: expected a folder, got ${got}`, {
        hint: "Choose another --out.",
        cause: error,
      });
    }
    throw describeUnmade(path, error);
  }
}

/** What the name of a file gets while it is written: one that only fits without it cannot be made. */
const WHILE_WRITTEN = ".partial";

/**
 * Throws ConfigError where `path` is none that can be made (through a file, or with too long a name), RuntimeError where nothing can be
 * made there, by making something beside it (in it, where it is a folder) and taking that away: rights alone do not tell of read-only
 * disks.
 */
export function expectWritable(path: string): void {
  try {
    const whole = resolve(path);
    const folder = nearestFolder(whole);
    statSync(`${whole}${WHILE_WRITTEN}`, { throwIfNoEntry: false });
    rmdirSync(mkdtempSync(join(folder, ".culprit-")));
  } catch (error) {
    throw describeUnmade(path, error);
  }
}

/** The folder itself, or else the nearest thing above that is there. */
function nearestFolder(path: string): string {
  for (let at = path; ; at = dirname(at)) {
    const found = statSync(at, { throwIfNoEntry: false });
    if (found?.isDirectory() === true || (found !== undefined && at !== path)) return at;
  }
}

/** The file that a path goes through, which can hold nothing. */
function fileWithin(path: string): string {
  for (let at = dirname(resolve(path)); ; at = dirname(at)) {
    try {
      const found = statSync(at, { throwIfNoEntry: false });
      if (found !== undefined || at === dirname(at)) return at;
    } catch {
      // Still beneath it.
    }
  }
}

/** Paths at which nothing can be made, whoever asks. */
const UNFIT: Readonly<Record<string, (path: string) => string>> = {
  ENOTDIR: (path) => `expected a place in a folder, got one beneath the file ${fileWithin(path)}`,
  ENAMETOOLONG: () =>
    `expected a name that the disk takes with ${WHILE_WRITTEN} after it, got one that is too long`,
  ELOOP: () => "expected a place, got links that lead in a circle",
  ERR_INVALID_ARG_VALUE: () => "expected the name of a place, got one with a null character",
};

function describeUnmade(path: string, error: unknown): unknown {
  const { code = "" } = error as NodeJS.ErrnoException; // of others there is none
  const unfit = UNFIT[code];
  if (unfit !== undefined) {
    const hint = "Choose another place.";
    return new ConfigError(`${path}: ${unfit(path)}`, { hint, cause: error });
  }
  const described = describeWriteError(path, error);
  if (!(described instanceof RuntimeError)) return error;
  if (["ENOSPC", "EDQUOT"].includes(code)) return described;
  return new RuntimeError(`${path}: cannot be made (${code})`, {
    hint: "Check the path and that you may write there.",
    cause: error,
  });
}
