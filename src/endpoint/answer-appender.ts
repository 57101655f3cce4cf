import { appendFileSync, fstatSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";

import { describeWriteError } from "../util/atomic-file.ts";
import { RuntimeError } from "../util/errors.ts";
import type { LinePlace } from "./answer-lines.ts";

/** The error where a file is not as it was left. */
export const changed = (path: string): RuntimeError =>
  new RuntimeError(`${path}: another process has changed it`, {
    hint: "Run the same command again; give each process its own --cache.",
  });

/**
 * Writes a line in the moment in which it comes, so that a kill loses none that came: an answer that waits its turn is one that was
 * paid for and is not there. The wait for the disk, by which the line counts, is shared.
 */
export function createAppender(
  path: string,
  file: FileHandle,
  startSize: number,
): (line: string) => Promise<LinePlace> {
  let size = startSize;
  let failed: Error | undefined;
  const write = (line: string): LinePlace => {
    if (failed !== undefined) throw failed;
    if (fstatSync(file.fd).size !== size) throw changed(path);
    const place = { at: size, bytes: Buffer.byteLength(line) };
    appendFileSync(file.fd, line);
    size += place.bytes;
    return place;
  };
  const sync = shared(() => file.datasync());
  return async (line) => {
    try {
      const place = write(line);
      await sync();
      return place;
    } catch (error) {
      // Behind half a line no other may follow. The file system throws nothing but errors.
      failed ??= error as Error;
      throw describeWriteError(path, error);
    }
  };
}

/** Work that all who ask for it while it is being done share, in the next run of it. */
function shared(work: () => Promise<void>): () => Promise<void> {
  let next: Promise<void> | undefined;
  let current: Promise<unknown> = Promise.resolve();
  const run = (): Promise<void> => {
    next = undefined;
    return work();
  };
  return () => {
    if (next === undefined) current = next = current.then(run);
    return next;
  };
}
