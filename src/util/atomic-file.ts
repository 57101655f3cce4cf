import { open, rename, rm } from "node:fs/promises";

import { RuntimeError } from "./errors.ts";

/**
 * Writes a whole file or nothing: the bytes go to `<path>.partial`, reach the disk, and take the final name in one step.
 * A run killed at any moment leaves either the old file or the new one, never half of it.
 */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array | AsyncIterable<Uint8Array | string> | Iterable<Uint8Array>,
): Promise<void> {
  const partial = `${path}.partial`;
  const file = await open(partial, "w").catch((error: unknown) => {
    throw describeWriteError(path, error);
  });
  try {
    try {
      if (typeof content === "string" || content instanceof Uint8Array) {
        await file.writeFile(content);
      } else {
        for await (const chunk of content) await file.writeFile(chunk);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw describeWriteError(path, error);
  }
}

/** Writes values as JSON lines, whole or not at all, in the order given; members that are undefined are left out. */
export async function writeJsonLines(
  path: string,
  values: Iterable<unknown> | AsyncIterable<unknown>,
): Promise<void> {
  const lines = async function* (): AsyncGenerator<string> {
    for await (const value of values) yield `${JSON.stringify(value)}\n`;
  };
  await writeFileAtomic(path, lines());
}

const UNWRITABLE = ["EACCES", "EPERM", "EROFS", "ENOENT", "ENOTDIR", "EISDIR", "ENAMETOOLONG"];

/** What went wrong with writing `path`, as a RuntimeError where the cause is the disk or the rights to it. */
export function describeWriteError(path: string, error: unknown): unknown {
  const code = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? "") : ""; // why work was stopped may be any value
  // EFBIG: a limit on the size of files, of the file system or of the shell (ulimit -f).
  if (["ENOSPC", "EDQUOT", "EFBIG"].includes(code)) {
    return new RuntimeError(`${path}: the disk is full (${code}), nothing was left half-written`, {
      hint: "Free some space or choose another --out, then run the same command again.",
      cause: error,
    });
  }
  if (UNWRITABLE.includes(code)) {
    return new RuntimeError(`${path}: cannot be written (${code})`, {
      hint: "Check that the folder exists and that you may write to it.",
      cause: error,
    });
  }
  return error;
}

/** The same for what DuckDB says, in words alone, where it cannot write `path`. */
export function describeFullDisk(path: string, error: unknown): unknown {
  const message = error instanceof Error ? error.message : "";
  if (!/no space|disk|ENOSPC|quota|file too large/i.test(message)) return error;
  return new RuntimeError(`${path}: the disk is full, nothing was left half-written`, {
    hint: "Free some space or choose another --out, then run the same command again.",
    cause: error,
  });
}
