import { FormatError } from "../util/errors.ts";
import type { HubConnection } from "./hub-connection.ts";
import { describeSubject, printable, type HubSubject } from "./hub-errors.ts";
import { requestJson } from "./hub-retries.ts";
import type { HubReference } from "./hub-uri.ts";
import { checkRepoFile, type RepoFile } from "./repo-file.ts";

/** More files than any repository should have; bounds the memory of a listing to some 100 MB. */
const MAX_FILES = 1_000_000;

/**
 * Asks which commit the reference's revision is now; one request. `tries` bounds the attempts on a network that is down.
 * Throws ConfigError for an unknown repository or revision, HubUnreachableError where nobody answers.
 */
export async function resolveCommit(
  connection: HubConnection,
  reference: HubReference,
  tries: number,
): Promise<string> {
  // Loaded on first use: commands that never ask the hub start faster without it.
  const { datasetInfo, modelInfo } = await import("@huggingface/hub");
  const subject = hubSubject(connection, reference);
  const common = {
    name: reference.repo,
    revision: reference.revision,
    hubUrl: connection.settings.endpoint,
    fetch: jsonFetch(connection, subject, tries),
  };
  const { sha } =
    reference.kind === "model"
      ? await modelInfo({ ...common, additionalFields: ["sha"] })
      : await datasetInfo({ ...common, additionalFields: ["sha"] });
  const got: unknown = sha; // the library passes on whatever the server says
  if (typeof got !== "string" || !isCommit(got)) {
    const shown = printable(JSON.stringify(got ?? null));
    throw new FormatError(`${describeSubject(subject)}: expected a commit id, got ${shown}`, {
      hint: `Check that HF_ENDPOINT (${subject.endpoint}) is a hub.`,
    });
  }
  return got;
}

/** Lists every file at a commit, in the order of the hub; throws FormatError on names that are not safe to write. */
export async function listRepoFiles(
  connection: HubConnection,
  reference: HubReference,
  commit: string,
): Promise<readonly RepoFile[]> {
  const { listFiles } = await import("@huggingface/hub");
  const subject = hubSubject(connection, reference);
  const where = describeSubject(subject);
  const files: RepoFile[] = [];
  const entries = listFiles({
    repo: { type: reference.kind, name: reference.repo },
    revision: commit,
    recursive: true,
    hubUrl: connection.settings.endpoint,
    fetch: jsonFetch(connection, subject, connection.retry.tries),
  });
  for await (const entry of entries) {
    if (entry.type === "directory") continue;
    files.push(
      checkRepoFile(where, {
        path: entry.path,
        sizeBytes: entry.lfs?.size ?? entry.size,
        gitOid: entry.oid,
        sha256: entry.lfs?.oid,
        xetHash: entry.xetHash,
      }),
    );
    if (files.length > MAX_FILES) {
      throw new FormatError(`${where}: expected at most ${MAX_FILES} files, the list goes on`);
    }
  }
  return files;
}

/** Whether a revision is a full commit id, which never changes its meaning. */
export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}

/** What requests for this repository are about. */
export function hubSubject(
  connection: HubConnection,
  reference: HubReference,
  file?: string,
): HubSubject {
  return {
    reference,
    endpoint: connection.settings.endpoint,
    hasToken: connection.settings.token !== undefined,
    file,
  };
}

/**
 * A fetch for the library that goes through our own connection. The library would send the token along to whatever address
 * a Link header names, never retries, and takes any JSON for what it expects.
 */
function jsonFetch(connection: HubConnection, subject: HubSubject, tries: number): typeof fetch {
  const asked = new Set<string>();
  return async (input) => {
    const url = input instanceof Request ? input.url : String(input);
    if (asked.has(url)) {
      throw new FormatError(
        `${describeSubject(subject)}: the listing's pages go round in a circle`,
      );
    }
    asked.add(url);
    const { text, headers } = await requestJson(connection, subject, url, tries);
    const isPage = new URL(url).pathname.includes("/tree/");
    if (!(isPage ? isListOfObjects : isObject)(JSON.parse(text))) {
      throw new FormatError(
        `${describeSubject(subject)}: expected ${isPage ? "a list of files" : "a description"}, got other JSON`,
        { hint: `Check that HF_ENDPOINT (${subject.endpoint}) is a hub.` },
      );
    }
    const link = headers.get("link");
    return new Response(text, {
      headers: { "content-type": "application/json", ...(link === null ? {} : { link }) },
    });
  };
}

function isListOfObjects(value: unknown): boolean {
  return Array.isArray(value) && value.every(isObject);
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
