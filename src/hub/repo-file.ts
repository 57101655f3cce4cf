import { FormatError } from "../util/errors.ts";
import { printable } from "./hub-errors.ts";

/** One file of a repository at a commit, as the hub lists it; checked, so its path is safe to join to a folder. */
export interface RepoFile {
  /** Relative, with `/`. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Git's id of the entry (of the pointer file for large files), 40 hex digits. */
  readonly gitOid: string;
  /** SHA-256 of the content, for files in large-file storage. */
  readonly sha256?: string | undefined;
  readonly xetHash?: string | undefined;
}

/** A listing entry before it is trusted. */
export interface UncheckedRepoFile {
  readonly path?: unknown;
  readonly sizeBytes?: unknown;
  readonly gitOid?: unknown;
  readonly sha256?: unknown;
  readonly xetHash?: unknown;
}

const GIT_OID_PATTERN = /^[0-9a-f]{40}$/;
const SHA256_PATTERN = /^[0-9a-f]{64}$/;

/**
 * Checks one entry of a listing. Throws FormatError where the name could leave the folder that it is joined to (`..`,
 * absolute, drive letters, backslashes, control characters) or where size or ids are not what they should be: ids become
 * file names too.
 */
export function checkRepoFile(where: string, entry: UncheckedRepoFile): RepoFile {
  const { path, sizeBytes, gitOid, sha256, xetHash } = entry;
  if (typeof path !== "string" || !isSafePath(path)) {
    const name = printable(typeof path === "string" ? path : JSON.stringify(path ?? null));
    throw new FormatError(
      `${where}: expected file names inside the repository, got ${JSON.stringify(name)}`,
      { hint: "Such a name would be written outside the cache: do not trust this repository." },
    );
  }
  const isSize = typeof sizeBytes === "number" && Number.isSafeInteger(sizeBytes) && sizeBytes >= 0;
  if (!isSize) throw badEntry(where, path, `a size in bytes, got ${JSON.stringify(sizeBytes)}`);
  if (!isMatch(gitOid, GIT_OID_PATTERN)) throw badEntry(where, path, "a git id of 40 hex digits");
  if (sha256 !== undefined && !isMatch(sha256, SHA256_PATTERN)) {
    throw badEntry(where, path, "a SHA-256 of 64 hex digits");
  }
  const knownXetHash = isMatch(xetHash, SHA256_PATTERN) ? xetHash : undefined;
  return { path, sizeBytes, gitOid, sha256, xetHash: knownXetHash };
}

/** The content's name under `blobs/`, which is also the ETag that the hub sends for it. */
export function blobName(file: RepoFile): string {
  return file.sha256 ?? file.gitOid;
}

function isSafePath(path: string): boolean {
  return (
    // oxlint-disable-next-line no-control-regex -- control characters are what is refused
    !/[\\\u0000-\u001f\u007f]/.test(path) &&
    path
      .split("/")
      .every((part) => part !== "" && part !== "." && part !== ".." && !/^[A-Za-z]:/.test(part))
  );
}

function isMatch(value: unknown, pattern: RegExp): value is string {
  return typeof value === "string" && pattern.test(value);
}

function badEntry(where: string, path: string, expected: string): FormatError {
  return new FormatError(`${where}: ${printable(path)}: the listing should give ${expected}`, {
    hint: "Check that HF_ENDPOINT is a hub.",
  });
}
