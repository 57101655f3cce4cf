/**
 * @file A Hugging Face hub on 127.0.0.1 for tests: the API for a revision and its listing, `resolve` addresses, and a second
 * server on another port that plays the storage host to which large files are redirected. It logs every request and can be
 * told to fail in the ways that real ones do.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One repository; change its fields between requests to play an update. */
export interface FakeRepo {
  readonly kind: "model" | "dataset";
  /** `owner/name`. */
  readonly repo: string;
  /** Contents by path; those that `isLarge` accepts live in large-file storage. */
  files: Readonly<Record<string, string | Uint8Array>>;
  /** Branches and tags, and the commit they mean; default `main` at 40 times "a". */
  refs?: Readonly<Record<string, string>>;
  /** Private ones hide from strangers, gated ones refuse them their files; default public. */
  access?: "public" | "private" | "gated";
  /** Default: names ending in .safetensors, .bin or .parquet. */
  isLarge?: (path: string) => boolean;
  /** Last changes to the listing that the hub gives out, hostile ones for example. */
  editListing?: (entries: ListingEntry[]) => unknown[];
}

/** One entry of a listing as the hub sends it. */
export interface ListingEntry {
  type: "file" | "directory";
  path: string;
  size: number;
  oid: string;
  lfs?: { oid: string; size: number; pointerSize: number };
}

export interface LoggedRequest {
  readonly host: "hub" | "storage";
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
}

/** What goes wrong with one answer that holds a file's bytes. */
export type FileFault =
  | { readonly kind: "cut"; readonly afterBytes: number }
  | { readonly kind: "stall"; readonly afterBytes: number }
  | { readonly kind: "status"; readonly status: number; readonly headers?: Record<string, string> }
  | { readonly kind: "no-range" }
  | { readonly kind: "replace"; readonly content: Uint8Array };

export interface FakeHub extends AsyncDisposable {
  /** The address for HF_ENDPOINT. */
  readonly url: string;
  readonly storageUrl: string;
  /** In order of arrival. */
  readonly requests: LoggedRequest[];
  readonly repos: FakeRepo[];
  /** Asked before the bytes of a file are sent; `count` counts its requests from 1. */
  fileFault: (path: string, count: number) => FileFault | undefined;
  /** Asked before anything else on the hub's own address; true means that it has answered. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Entries per page of a listing; default 1000. */
  pageSize: number;
  stop(): Promise<void>;
}

/** The only token that opens private and gated repositories. */
export const FAKE_TOKEN = "hf_faketokenfortests";
/** What `main` means unless a repository says otherwise. */
export const FAKE_COMMIT = "a".repeat(40);

/** Starts both servers on free ports. */
export async function startFakeHub(repos: readonly FakeRepo[]): Promise<FakeHub> {
  const hubServer = await listen();
  const storageServer = await listen();
  const stop = async (): Promise<void> => {
    for (const server of [hubServer, storageServer]) {
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => void server.close(resolve));
    }
  };
  const hub: FakeHub = {
    url: address(hubServer),
    storageUrl: address(storageServer),
    requests: [],
    repos: [...repos],
    fileFault: () => undefined,
    intercept: () => false,
    pageSize: 1000,
    stop,
    [Symbol.asyncDispose]: stop,
  };
  const counts = new Map<string, number>();
  hubServer.on("request", (request: IncomingMessage, response: ServerResponse) => {
    log(hub, "hub", request);
    if (!hub.intercept(request, response)) answerHub(hub, counts, request, response);
  });
  storageServer.on("request", (request: IncomingMessage, response: ServerResponse) => {
    log(hub, "storage", request);
    answerStorage(hub, counts, request, response);
  });
  return hub;
}

/** The environment that leads to this hub, with a cache of its own. */
export function fakeHubEnvironment(hub: FakeHub, home: string): Record<string, string> {
  return { HF_ENDPOINT: hub.url, HF_HOME: home };
}

/** The id that git gives to a file's content. */
export function gitBlobId(content: Uint8Array): string {
  return createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");
}

function answerHub(
  hub: FakeHub,
  counts: Map<string, number>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const url = new URL(request.url ?? "/", hub.url);
  const api = /^\/api\/(models|datasets)\/([^/]+\/[^/]+)\/(revision|tree)\/([^/]+)$/.exec(
    url.pathname,
  );
  const file = /^\/(datasets\/)?([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(url.pathname);
  const isDataset = api?.[1] === "datasets" || file?.[1] !== undefined;
  const name = api?.[2] ?? file?.[2];
  const repo = hub.repos.find(
    (each) => each.repo === name && each.kind === (isDataset ? "dataset" : "model"),
  );
  const isKnown = request.headers.authorization === `Bearer ${FAKE_TOKEN}`;
  if (repo === undefined || (repo.access === "private" && !isKnown)) {
    // The real one says 401 to strangers, so as not to tell private from absent.
    return refuse(response, isKnown ? 404 : 401, "RepoNotFound", "Repository not found");
  }
  const commit = findCommit(repo, decodeURIComponent(api?.[4] ?? file?.[3] ?? ""));
  if (commit === undefined) return refuse(response, 404, "RevisionNotFound", "Invalid rev id");
  if (api?.[3] === "revision") return sendJson(response, describeRepo(repo, commit));
  if (api?.[3] === "tree") return sendPage(hub, response, url, repo);
  if (repo.access === "gated" && !isKnown) {
    return refuse(response, 401, "GatedRepo", "Access to this repository is restricted");
  }
  sendResolved(hub, counts, request, response, {
    repo,
    commit,
    path: decodeURIComponent(file?.[4] ?? ""),
  });
}

function sendResolved(
  hub: FakeHub,
  counts: Map<string, number>,
  request: IncomingMessage,
  response: ServerResponse,
  { repo, commit, path }: { repo: FakeRepo; commit: string; path: string },
): void {
  const content = contentOf(repo, path);
  if (content === undefined) return refuse(response, 404, "EntryNotFound", "Entry not found");
  response.setHeader("x-repo-commit", commit);
  if (!isLarge(repo, path)) {
    response.setHeader("etag", `"${gitBlobId(content)}"`);
    return sendFile(hub, counts, request, response, path, content);
  }
  const location = `${hub.storageUrl}/${repo.kind}/${repo.repo}/${encodeURIComponent(path)}?signature=1`;
  response.setHeader("x-linked-size", content.length);
  response.setHeader("x-linked-etag", `"${sha256(content)}"`);
  response.writeHead(302, { location });
  response.end();
}

function answerStorage(
  hub: FakeHub,
  counts: Map<string, number>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const [, kind, owner, name, path = ""] = new URL(
    request.url ?? "/",
    hub.storageUrl,
  ).pathname.split("/");
  const repo = hub.repos.find((each) => each.kind === kind && each.repo === `${owner}/${name}`);
  const content = repo && contentOf(repo, decodeURIComponent(path));
  // As real object stores do with a second way of signing in.
  if (request.headers.authorization !== undefined)
    return refuse(response, 400, "InvalidArgument", "");
  if (content === undefined) return refuse(response, 403, "AccessDenied", "");
  sendFile(hub, counts, request, response, decodeURIComponent(path), content);
}

function sendFile(
  hub: FakeHub,
  counts: Map<string, number>,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  whole: Uint8Array,
): void {
  const isHead = request.method === "HEAD";
  const count = (counts.get(path) ?? 0) + (isHead ? 0 : 1);
  counts.set(path, count);
  const fault = isHead ? undefined : hub.fileFault(path, count);
  if (fault?.kind === "status") {
    response.writeHead(fault.status, fault.headers ?? {});
    response.end();
    return;
  }
  const content = fault?.kind === "replace" ? fault.content : whole;
  const [, from] = /^bytes=(\d+)-/.exec(request.headers.range ?? "") ?? [];
  const start = from === undefined || fault?.kind === "no-range" ? 0 : Number(from);
  if (start > 0) {
    const range = `bytes ${start}-${content.length - 1}/${content.length}`;
    response.writeHead(206, { "content-range": range, "content-length": content.length - start });
  } else {
    response.writeHead(200, { "content-length": content.length, "accept-ranges": "bytes" });
  }
  if (isHead) return void response.end();
  if (fault?.kind === "cut" || fault?.kind === "stall") {
    response.write(content.subarray(start, start + fault.afterBytes), () => {
      // Time for the bytes to arrive before the connection breaks.
      if (fault.kind === "cut") setTimeout(() => response.destroy(), 20);
    });
    return;
  }
  response.end(content.subarray(start));
}

function sendPage(hub: FakeHub, response: ServerResponse, url: URL, repo: FakeRepo): void {
  const entries = listEntries(repo);
  const all = repo.editListing?.(entries) ?? entries;
  const start = Number(url.searchParams.get("cursor") ?? 0);
  const end = start + hub.pageSize;
  if (end < all.length) {
    url.searchParams.set("cursor", String(end));
    response.setHeader("link", `<${url.href}>; rel="next"`);
  }
  sendJson(response, all.slice(start, end));
}

function listEntries(repo: FakeRepo): ListingEntry[] {
  const folders = new Set<string>();
  const entries = Object.keys(repo.files).map((path): ListingEntry => {
    const content = contentOf(repo, path) ?? new Uint8Array();
    const words = path.split("/");
    for (let i = 1; i < words.length; i++) folders.add(words.slice(0, i).join("/"));
    const entry = { type: "file", path, size: content.length, oid: gitBlobId(content) } as const;
    if (!isLarge(repo, path)) return entry;
    const oid = sha256(content);
    return { ...entry, lfs: { oid, size: content.length, pointerSize: 134 } };
  });
  const listed = [...folders].map((path): ListingEntry => ({
    type: "directory",
    path,
    size: 0,
    oid: "f".repeat(40),
  }));
  return [...listed, ...entries];
}

function describeRepo(repo: FakeRepo, commit: string): object {
  return {
    _id: "0123456789abcdef01234567",
    id: repo.repo,
    sha: commit,
    private: repo.access === "private",
    gated: repo.access === "gated" ? "auto" : false,
    downloads: 0,
    likes: 0,
    lastModified: "2025-01-01T00:00:00.000Z",
    // For clients that look here instead of asking for the tree.
    siblings: Object.keys(repo.files).map((rfilename) => ({ rfilename })),
  };
}

function findCommit(repo: FakeRepo, revision: string): string | undefined {
  const refs = repo.refs ?? { main: FAKE_COMMIT };
  return refs[revision] ?? Object.values(refs).find((commit) => commit === revision);
}

function contentOf(repo: FakeRepo, path: string): Uint8Array | undefined {
  const content = Object.hasOwn(repo.files, path) ? repo.files[path] : undefined;
  return typeof content === "string" ? Buffer.from(content) : content;
}

function isLarge(repo: FakeRepo, path: string): boolean {
  return repo.isLarge?.(path) ?? /\.(?:safetensors|bin|parquet)$/.test(path);
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.setHeader("content-type", "application/json; charset=utf-8");
  response.end(JSON.stringify(value));
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, { "x-error-code": code, "x-error-message": message });
  response.end(message);
}

function log(hub: FakeHub, host: LoggedRequest["host"], request: IncomingMessage): void {
  hub.requests.push({
    host,
    method: request.method ?? "",
    url: request.url ?? "",
    authorization: request.headers.authorization,
    range: request.headers.range,
  });
}

async function listen(): Promise<Server> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function address(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // listening on TCP
}

function sha256(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
