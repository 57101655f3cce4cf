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
  try {
    const file = await open(partial, "w");
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

function describeWriteError(path: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new RuntimeError(`${path}: the disk is full, nothing was left half-written`, {
      hint: "Free some space or choose another --out, then run the same command again.",
      cause: error,
    });
  }
  if (code === "EACCES" || code === "EROFS" || code === "ENOENT" || code === "ENOTDIR") {
    return new RuntimeError(`${path}: cannot be written (${code})`, {
      hint: "Check that the folder exists and that you may write to it.",
      cause: error,
    });
  }
  return error;
}
