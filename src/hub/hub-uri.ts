import { ConfigError } from "../util/errors.ts";

/** A repository on the hub at a revision, and possibly something inside it. */
export interface HubReference {
  readonly kind: "model" | "dataset";
  /** `owner/name`. */
  readonly repo: string;
  /** A branch, tag, pull-request reference or commit as the user wrote it; "main" by default. */
  readonly revision: string;
  /** A file, folder or glob inside the repository, without a leading slash; absent where the whole repository is meant. */
  readonly path?: string | undefined;
}

const SCHEME = "hf://";
/** The hub's own limits: 96 characters of letters, digits, `.`, `_`, `-` for each of owner and name. */
const NAME_PATTERN = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?$/;
/** One part of a revision; it becomes a file name under `refs/`, so nothing that a shell or a path could misread. */
const REVISION_PART_PATTERN = /^[A-Za-z0-9_+=][A-Za-z0-9._+=-]*$/;
/** Git's own references with slashes, which may stand unescaped after `@`. */
const SLASHED_REVISION_PATTERN = /^(refs\/(?:pr|convert)\/[^/]+)(?:\/(.*))?$/s;

/** Whether a checkpoint or pair file is named by a hub address instead of a local path. */
export function isHubUri(name: string): boolean {
  return name.startsWith(SCHEME);
}

/**
 * Parses `hf://owner/name[@revision][/path]` (a model; `hf://models/…` says the same) and
 * `hf://datasets/owner/name[@revision][/path-or-glob]`. A slash inside a revision is written `%2F`, except in `refs/pr/N`
 * and `refs/convert/x`. Throws ConfigError where the address is anything else.
 */
export function parseHubUri(uri: string): HubReference {
  if (!isHubUri(uri)) throw badUri(uri, `expected it to start with ${SCHEME}`);
  const words = uri.slice(SCHEME.length).split("/");
  const kind = words[0] === "datasets" ? "dataset" : "model";
  if (words[0] === "datasets" || words[0] === "models") words.shift();
  else if (["spaces", "buckets", "kernels"].includes(words[0]!)) {
    throw badUri(uri, `expected a model or a dataset, got "${words[0]}"`);
  }
  const [owner = "", nameAndRevision = "", ...tail] = words;
  const [name = "", ...revisionWords] = nameAndRevision.split("@");
  if (owner.includes("@") || words.length < 2) {
    throw badUri(uri, "expected an owner and a name, got a single word");
  }
  for (const word of [owner, name]) {
    if (!NAME_PATTERN.test(word) || word.includes("--") || word.includes("..")) {
      throw badUri(uri, `expected owner/name, got "${owner}/${name}"`);
    }
  }
  const [revision, pathWords] =
    revisionWords.length === 0
      ? ["main", tail]
      : splitRevision([revisionWords.join("@"), ...tail].join("/"));
  return {
    kind,
    repo: `${owner}/${name}`,
    revision: checkRevision(uri, revision),
    ...readPath(uri, pathWords),
  };
}

/** The address of a whole repository at a revision, as messages show it. */
export function formatHubUri(reference: HubReference): string {
  const revision = reference.revision === "main" ? "" : `@${reference.revision}`;
  return `${SCHEME}${reference.kind === "dataset" ? "datasets/" : ""}${reference.repo}${revision}`;
}

function splitRevision(text: string): [revision: string, pathWords: string[]] {
  const slashed = SLASHED_REVISION_PATTERN.exec(text);
  if (slashed !== null) return [slashed[1]!, slashed[2]?.split("/") ?? []];
  const [word = "", ...pathWords] = text.split("/");
  return [word.replaceAll(/%2f/gi, "/"), pathWords];
}

function checkRevision(uri: string, revision: string): string {
  const isSafe = revision
    .split("/")
    .every((part) => REVISION_PART_PATTERN.test(part) && !part.includes(".."));
  if (!isSafe || revision.length > 200) {
    throw badUri(uri, `expected a branch, tag or commit after @, got "${revision}"`);
  }
  return revision;
}

function readPath(uri: string, words: readonly string[]): { path?: string | undefined } {
  // A trailing slash names the same folder.
  const path = (words.at(-1) === "" ? words.slice(0, -1) : words).join("/");
  if (path === "") return {};
  if (path.split("/").some((word) => word === "" || word === "." || word === "..")) {
    throw badUri(uri, `expected a path inside the repository, got "${path}"`);
  }
  return { path };
}

function badUri(uri: string, what: string): ConfigError {
  return new ConfigError(`${uri}: ${what}`, {
    hint: "Write hf://owner/name, hf://owner/name@revision or hf://datasets/owner/name@revision/path.",
  });
}
