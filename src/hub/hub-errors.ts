import { ConfigError, RuntimeError, type CulpritError } from "../util/errors.ts";
import { formatHubUri, type HubReference } from "./hub-uri.ts";

/** What a request was about, so that its failure can be told in the user's words. */
export interface HubSubject {
  readonly reference: HubReference;
  readonly endpoint: string;
  readonly hasToken: boolean;
  /** Path of the file asked for; absent for the listing and the revision. */
  readonly file?: string | undefined;
}

/** The hub did not answer, or only with errors of its own: a cached copy may stand in. */
export class HubUnreachableError extends RuntimeError {}

/** One attempt failed in a way that another may not. */
export class TransientHubError extends Error {
  /** What the server asked for in its Retry-After header, milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: { cause?: unknown; retryAfterMs?: number | undefined }) {
    super(message, { cause: options.cause });
    this.name = new.target.name;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Where a message says something happened: the repository's address and the file, if any. */
export function describeSubject(subject: HubSubject): string {
  const uri = formatHubUri(subject.reference);
  return subject.file === undefined ? uri : `${uri}: ${printable(subject.file)}`;
}

/** The user's error for a final answer that is not a success. */
export function describeRefusal(
  subject: HubSubject,
  status: number,
  headers: Headers,
): CulpritError {
  const code = headers.get("x-error-code") ?? "";
  const said = printable(headers.get("x-error-message") ?? "");
  if (status === 401 || status === 403) return describeNoAccess(subject, status, code, said);
  if (status === 404) return describeNotFound(subject, code);
  const where = describeSubject(subject);
  const reason = said === "" ? "" : `: ${said}`;
  return new RuntimeError(`${where}: expected the file, got HTTP ${status}${reason}`, {
    hint: `Open ${repoPage(subject)} in a browser to see whether ${subject.endpoint} works.`,
  });
}

/** Server text for a terminal: one line, no control characters, of bounded length. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what has to go
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, " ").slice(0, 300);
}

function describeNoAccess(
  subject: HubSubject,
  status: number,
  code: string,
  said: string,
): CulpritError {
  const where = describeSubject(subject);
  const page = repoPage(subject);
  if (code === "GatedRepo" || /\bgated\b|restricted|must be authenticated/i.test(said)) {
    return new RuntimeError(
      `${where}: this ${subject.reference.kind} is gated, got HTTP ${status}`,
      {
        hint: subject.hasToken
          ? `Accept its licence at ${page} with the account that your HF_TOKEN belongs to, and wait if it has to be granted.`
          : `Accept its licence at ${page}, then set HF_TOKEN to a token of that account.`,
      },
    );
  }
  if (subject.hasToken) {
    return new RuntimeError(`${where}: your token gives no access, got HTTP ${status}`, {
      hint: `Check the spelling of ${subject.reference.repo}, and that HF_TOKEN (or the token file) is valid and may read it.`,
    });
  }
  return new RuntimeError(`${where}: does not exist or is private, got HTTP ${status}`, {
    hint: `Check the spelling of ${subject.reference.repo}; for a private or gated one set HF_TOKEN (licence: ${page}).`,
  });
}

function describeNotFound(subject: HubSubject, code: string): CulpritError {
  const { reference } = subject;
  const repo = `${reference.kind} ${reference.repo}`;
  const where = describeSubject(subject);
  if (code === "RevisionNotFound") {
    return new ConfigError(`${where}: ${repo} has no revision "${reference.revision}"`, {
      hint: `Its branches and tags are listed at ${repoPage(subject)}/tree/main.`,
    });
  }
  if (subject.file !== undefined && code !== "RepoNotFound") {
    return new ConfigError(`${where}: ${repo} has no such file any more`, {
      hint: "The repository changed meanwhile: run the same command again.",
    });
  }
  if (code === "RepoNotFound") {
    return new ConfigError(`${where}: there is no ${repo} at ${subject.endpoint}`, {
      hint: "Check owner and name; datasets are written hf://datasets/owner/name.",
    });
  }
  return new ConfigError(
    `${where}: no ${repo} with a revision "${reference.revision}" at ${subject.endpoint}`,
    { hint: "Check owner, name and revision; datasets are written hf://datasets/owner/name." },
  );
}

function repoPage({ endpoint, reference }: HubSubject): string {
  return `${endpoint}/${reference.kind === "dataset" ? "datasets/" : ""}${reference.repo}`;
}
