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

/**
 * Throws RuntimeError where nothing can be made at `path`, by making something beside it (in it, where it is a folder) and taking that
 * away: rights alone do not tell of read-only disks. A path through a file passes, whose reader has better words.
 */
export function expectWritable(path: string): void {
  try {
    rmdirSync(mkdtempSync(join(nearestFolder(resolve(path)), ".culprit-")));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return;
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

function describeUnmade(path: string, error: unknown): unknown {
  const described = describeWriteError(path, error);
  if (!(described instanceof RuntimeError)) return error;
  const { code } = error as NodeJS.ErrnoException; // only such are described
  if (["ENOSPC", "EDQUOT"].includes(code ?? "")) return described;
  return new RuntimeError(`${path}: cannot be made (${code})`, {
    hint: "Check the path and that you may write there.",
    cause: error,
  });
}
