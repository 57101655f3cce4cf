import { open, stat, truncate, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { errorCode, isWholeFile, type RepoCache } from "./cache-layout.ts";
import { hubSubject } from "./hub-api.ts";
import { requestOnce, type HubAnswer, type HubConnection } from "./hub-connection.ts";
import { describeSubject, TransientHubError, type HubSubject } from "./hub-errors.ts";
import { withRetries } from "./hub-retries.ts";
import type { HubReference } from "./hub-uri.ts";
import {
  claimPartial,
  discardPartial,
  leftoverBytes,
  parkPartial,
  promotePartial,
} from "./partial-file.ts";
import { blobName, type RepoFile } from "./repo-file.ts";
import { verifyBlob, WrongContentError, wrongSize } from "./verify-blob.ts";

/** Where a file comes from and goes to. */
export interface BlobSource {
  readonly connection: HubConnection;
  readonly reference: HubReference;
  readonly commit: string;
  readonly cache: RepoCache;
}

/** An attempt that brought this much is worth a fresh count of attempts. */
const WORTHWHILE_BYTES = 2 ** 20;
const WAIT_FOR_OTHER_MS = 300;

/**
 * Brings one file's content into `blobs/`, going on from what an earlier call left. The blob appears only when size and
 * checksum are right. `onBytes` hears how many of its bytes are there, which may go back when a server makes it start over.
 * Throws RuntimeError on wrong size or checksum, HubUnreachableError when the attempts are used up.
 */
export async function downloadBlob(
  source: BlobSource,
  file: RepoFile,
  onBytes: (sizeBytes: number) => void,
): Promise<void> {
  const blobPath = join(source.cache.blobs, blobName(file));
  const { signal } = source.connection;
  for (;;) {
    if (await isWholeFile(blobPath, file.sizeBytes)) return onBytes(file.sizeBytes);
    const partial = await claimPartial(blobPath);
    if (partial === undefined) {
      onBytes(Math.min(await leftoverBytes(blobPath), file.sizeBytes));
      await sleep(WAIT_FOR_OTHER_MS, undefined, { signal });
      continue;
    }
    const target = { blobPath, partial, onBytes, isPieced: (await stat(partial)).size > 0 };
    if (await fillPartial(source, file, target)) return;
  }
}

interface Target {
  readonly blobPath: string;
  readonly partial: string;
  readonly onBytes: (sizeBytes: number) => void;
  /** Set once the content comes from more than one connection. */
  isPieced: boolean;
}

/** False where another process took the partial file over. */
async function fillPartial(source: BlobSource, file: RepoFile, target: Target): Promise<boolean> {
  const { blobPath, partial } = target;
  try {
    try {
      await receive(source, file, target);
    } catch (error) {
      if (!(error instanceof WrongContentError) || !target.isPieced) throw error;
      // The fault may lie in what an earlier connection left: once more from the start.
      await truncate(partial, 0);
      await receive(source, file, target);
    }
    await promotePartial(blobPath, partial);
    return true;
  } catch (error) {
    if (error instanceof WrongContentError) await discardPartial(blobPath, partial);
    else await parkPartial(blobPath, partial);
    if (errorCode(error) === "ENOENT") return false;
    throw error;
  }
}

/** Fills the partial file up to the listed size, over as many connections as it takes, and checks it. */
async function receive(source: BlobSource, file: RepoFile, target: Target): Promise<void> {
  const subject = hubSubject(source.connection, source.reference, file.path);
  let offset = (await stat(target.partial)).size;
  let furthest = offset;
  while (offset < file.sizeBytes) {
    const floor = furthest + WORTHWHILE_BYTES;
    await withRetries(source.connection, subject, async () => {
      try {
        await receiveOnce(source, file, target, subject);
      } catch (error) {
        furthest = Math.max(furthest, (await stat(target.partial)).size);
        if (!(error instanceof TransientHubError) || furthest < floor) throw error;
      }
    });
    offset = (await stat(target.partial)).size;
  }
  if (offset > file.sizeBytes) throw wrongSize(subject, file, offset);
  await verifyBlob(subject, file, target.partial, source.connection.signal);
}

async function receiveOnce(
  source: BlobSource,
  file: RepoFile,
  target: Target,
  subject: HubSubject,
): Promise<void> {
  // Opened by name each time and never created: if another process took the file over, this fails instead of writing on.
  const output = await open(target.partial, "r+");
  try {
    const offset = (await output.stat()).size;
    target.onBytes(offset);
    target.isPieced ||= offset > 0;
    const range = offset === 0 ? {} : { range: `bytes=${offset}-` };
    await requestOnce(
      source.connection,
      subject,
      resolveUrl(source, file),
      range,
      async (answer) => {
        const from = startOfBody(subject, file, answer, offset);
        if (from !== offset) await output.truncate(from);
        await writeBody(output, answer, { from, subject, file, onBytes: target.onBytes });
      },
    );
    await output.sync();
  } finally {
    await output.close();
  }
}

async function writeBody(
  output: FileHandle,
  answer: HubAnswer,
  at: {
    readonly from: number;
    readonly subject: HubSubject;
    readonly file: RepoFile;
    readonly onBytes: (sizeBytes: number) => void;
  },
): Promise<void> {
  let position = at.from;
  at.onBytes(position);
  for await (const chunk of answer.chunks()) {
    if (position + chunk.length > at.file.sizeBytes) {
      throw wrongSize(at.subject, at.file, position + chunk.length);
    }
    for (let written = 0; written < chunk.length;) {
      written += (await output.write(chunk, written, chunk.length - written, position + written))
        .bytesWritten;
    }
    position += chunk.length;
    at.onBytes(position);
  }
  if (position < at.file.sizeBytes) {
    throw new TransientHubError(`the answer ended at byte ${position} of ${at.file.sizeBytes}`, {});
  }
}

/** Which byte of the file the body begins with; throws where its announced size is not the listed one. */
function startOfBody(
  subject: HubSubject,
  file: RepoFile,
  { status, headers }: HubAnswer,
  offset: number,
): number {
  if (status === 206) {
    const [, start, total] =
      /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get("content-range") ?? "") ?? [];
    if (total !== undefined && total !== "*" && Number(total) !== file.sizeBytes) {
      throw wrongSize(subject, file, Number(total));
    }
    if (Number(start) === offset) return offset;
    throw new WrongContentError(
      `${describeSubject(subject)}: expected bytes from ${offset}, got range "${headers.get("content-range") ?? ""}"`,
      { hint: `Run the same command again; if it persists, ${subject.endpoint} is at fault.` },
    );
  }
  // 200: the server knows no ranges and sends all of it. A compressed body has a length of its own.
  const length = headers.get("content-encoding") === null ? headers.get("content-length") : null;
  if (length !== null && Number(length) !== file.sizeBytes) {
    throw wrongSize(subject, file, Number(length));
  }
  return 0;
}

function resolveUrl({ connection, reference, commit }: BlobSource, file: RepoFile): string {
  const kind = reference.kind === "dataset" ? "datasets/" : "";
  const path = file.path.split("/").map(encodeURIComponent).join("/");
  return `${connection.settings.endpoint}/${kind}${reference.repo}/resolve/${commit}/${path}`;
}
