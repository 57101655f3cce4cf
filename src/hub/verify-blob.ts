import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

import { RuntimeError } from "../util/errors.ts";
import { describeSubject, type HubSubject } from "./hub-errors.ts";
import { blobName, type RepoFile } from "./repo-file.ts";

/** The bytes that arrived are not the file that the listing promised; going on with them is no use. */
export class WrongContentError extends RuntimeError {}

/** Compares what is on the disk, not what went by, with the SHA-256 of large files and git's own id of the others. */
export async function verifyBlob(
  subject: HubSubject,
  file: RepoFile,
  path: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const hash = createHash(file.sha256 === undefined ? "sha1" : "sha256");
  if (file.sha256 === undefined) hash.update(`blob ${file.sizeBytes}\0`);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    signal?.throwIfAborted();
    hash.update(chunk as Buffer); // no encoding is set, so chunks are buffers
  }
  const got = hash.digest("hex");
  if (got === blobName(file)) return;
  throw new WrongContentError(
    `${describeSubject(subject)}: checksum mismatch, expected ${blobName(file)}, got ${got}`,
    {
      hint: `Nothing was kept. Run the same command again; if it persists, ${subject.endpoint} sends a damaged file.`,
    },
  );
}

/** The error for a size that is not the listed one. */
export function wrongSize(subject: HubSubject, file: RepoFile, got: number): WrongContentError {
  return new WrongContentError(
    `${describeSubject(subject)}: wrong size, expected ${file.sizeBytes} bytes as listed, got ${got}`,
    {
      hint: `Nothing was kept. Run the same command again; if it persists, ${subject.endpoint} sends a damaged file.`,
    },
  );
}
