import { execFile, type PromiseWithChild } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import {
  FAKE_COMMIT,
  FAKE_TOKEN,
  fakeHubEnvironment,
  startFakeHub,
  type FakeHub,
  type FakeRepo,
} from "../../test/fake-hub.ts";
import { ConfigError, FormatError, RuntimeError, UnsupportedError } from "../util/errors.ts";
import type { Progress } from "../util/progress.ts";
import { repoCache, placeInSnapshot } from "./cache-layout.ts";
import { downloadCheckpoint } from "./download-checkpoint.ts";
import type { HubOptions } from "./hub-settings.ts";

const URI = "hf://owner/tiny";
const WEIGHTS = bytes(300_000, 1);
const SMALL = {
  "config.json": '{"model_type":"llama"}',
  "tokenizer.json": '{"version":"1.0"}',
  "tokenizer_config.json": "{}",
  "chat_template.jinja": "{{ messages }}",
};

let hub: FakeHub;
let repo: FakeRepo;
let home: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "culprit-hub-"));
  repo = { kind: "model", repo: "owner/tiny", files: { ...SMALL, "model.safetensors": WEIGHTS } };
  hub = await startFakeHub([repo]);
});

afterEach(async () => {
  await hub.stop();
  await rm(home, { recursive: true, force: true });
});

function bytes(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7 + seed) & 255);
}

async function download(options: HubOptions = {}, uri = URI): Promise<string> {
  return await downloadCheckpoint(uri, {
    retry: { firstDelayMs: 1 },
    ...options,
    env: { ...fakeHubEnvironment(hub, home), ...options.env },
  });
}

/** The error of a call that has to fail. */
async function failure(call: Promise<unknown>): Promise<Error> {
  try {
    await call;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("expected the call to fail");
}

function recorder(): Progress & {
  updates: [number, number | undefined][];
  notes: string[];
  ends: number;
} {
  const seen = {
    updates: [] as [number, number | undefined][],
    notes: [] as string[],
    ends: 0,
    update: (done: number, total: number | undefined) => void seen.updates.push([done, total]),
    note: (line: string) => void seen.notes.push(line),
    end: () => void seen.ends++,
  };
  return seen;
}

/** Names in `blobs/`; unfinished ones are `.incomplete`. */
async function blobs(): Promise<string[]> {
  const folder = repoCache(join(home, "hub"), {
    kind: "model",
    repo: "owner/tiny",
    revision: "main",
  });
  return existsSync(folder.blobs) ? await readdir(folder.blobs) : [];
}

const noLinks = async (): Promise<void> => {
  throw Object.assign(new Error("no links here"), { code: "EPERM" });
};

/** The weights' blob and its unfinished forms: a small file stopped on its way is not what the tests look at. */
async function weightBlobs(): Promise<string[]> {
  return (await blobs()).filter((name) => /^[0-9a-f]{64}/.test(name));
}

async function leftovers(): Promise<string[]> {
  return (await weightBlobs()).filter((name) => name.endsWith(".incomplete"));
}

const fileRequests = (path: string): (string | undefined)[] =>
  hub.requests
    .filter((each) => each.host === "storage" && each.url.includes(path))
    .map((each) => each.range);

describe("a whole download", () => {
  test("brings the checkpoint into the cache layout that Python's library shares", async () => {
    repo.files = { ...repo.files, "pytorch_model.bin": "pickle", "README.md": "text" };
    const folder = await download();
    const cache = join(home, "hub", "models--owner--tiny");
    expect(folder).toBe(join(cache, "snapshots", FAKE_COMMIT));
    expect(readdirSync(folder).toSorted()).toEqual(
      [...Object.keys(SMALL), "model.safetensors"].toSorted(),
    );
    expect(await readFile(join(folder, "config.json"), "utf8")).toBe(SMALL["config.json"]);
    expect(Buffer.compare(await readFile(join(folder, "model.safetensors")), WEIGHTS)).toBe(0);
    expect(await readFile(join(cache, "refs", "main"), "utf8")).toBe(FAKE_COMMIT);
    const target = await readlink(join(folder, "model.safetensors"));
    expect(target).toMatch(/^\.\.\/\.\.\/blobs\/[0-9a-f]{64}$/);
    expect(readdirSync(cache).toSorted()).toEqual(["blobs", "refs", "snapshots", "trees"]);
    expect(hub.requests.some((each) => /pytorch_model|README/.test(each.url))).toBe(false);
  });

  test("asks only for the revision the second time, and nothing for a commit", async () => {
    const folder = await download();
    hub.requests.length = 0;
    expect(await download()).toBe(folder);
    expect(hub.requests.map((each) => each.url.split("?")[0])).toEqual([
      "/api/models/owner/tiny/revision/main",
    ]);
    hub.requests.length = 0;
    expect(await download({}, `${URI}@${FAKE_COMMIT}`)).toBe(folder);
    expect(hub.requests).toEqual([]);
  });

  test("follows a branch that moved and fetches only what changed", async () => {
    const before = await download();
    const commit = "b".repeat(40);
    repo.refs = { main: commit };
    repo.files = { ...repo.files, "config.json": '{"model_type":"olmo2"}' };
    hub.requests.length = 0;
    const after = await download();
    expect(after).not.toBe(before);
    expect(readFileSync(join(after, "config.json"), "utf8")).toContain("olmo2");
    expect(readFileSync(join(before, "config.json"), "utf8")).toContain("llama");
    const resolved = hub.requests.filter((each) => each.url.includes("/resolve/"));
    expect(resolved.map((each) => each.url)).toEqual([`/owner/tiny/resolve/${commit}/config.json`]);
  });

  test("fetches exactly the shards that the index names", async () => {
    const index = { weight_map: { a: "model-1.safetensors", b: "model-2.safetensors" } };
    repo.files = {
      ...SMALL,
      "model.safetensors.index.json": JSON.stringify(index),
      "model-1.safetensors": bytes(1000, 2),
      "model-2.safetensors": bytes(2000, 3),
      "stray.safetensors": bytes(3000, 4),
    };
    const progress = recorder();
    const folder = await download({ progress });
    expect(readdirSync(folder)).toContain("model-2.safetensors");
    expect(readdirSync(folder)).not.toContain("stray.safetensors");
    const totals = new Set(progress.updates.map(([, total]) => total));
    expect(totals.size).toBe(1);
  });

  test("reads a listing that comes in pages", async () => {
    hub.pageSize = 2;
    expect(readdirSync(await download())).toHaveLength(5);
    expect(hub.requests.filter((each) => each.url.includes("/tree/"))).toHaveLength(3);
  });

  test("reports bytes up to the total and ends the display, also on failure", async () => {
    const progress = recorder();
    await download({ progress });
    const total = WEIGHTS.length + Object.values(SMALL).join("").length;
    expect(progress.updates[0]).toEqual([0, total]);
    expect(progress.updates.at(-1)).toEqual([total, total]);
    expect(progress.ends).toBe(1);
    const failed = recorder();
    await failure(download({ progress: failed }, "hf://owner/absent"));
    expect(failed.ends).toBe(1);
  });

  test("writes revisions with slashes below refs", async () => {
    repo.refs = { main: FAKE_COMMIT, "refs/pr/1": "c".repeat(40) };
    const folder = await download({}, `${URI}@refs/pr/1`);
    expect(folder).toContain("c".repeat(40));
    const ref = join(home, "hub", "models--owner--tiny", "refs", "refs", "pr", "1");
    expect(readFileSync(ref, "utf8")).toBe("c".repeat(40));
  });

  test("downloads one content once though two names share it", async () => {
    repo.files = { ...SMALL, "a.safetensors": WEIGHTS, "b.safetensors": WEIGHTS };
    const folder = await download();
    expect((await stat(join(folder, "b.safetensors"))).size).toBe(WEIGHTS.length);
    expect(hub.requests.filter((each) => each.host === "storage")).toHaveLength(1);
  });

  test("takes an empty file for whole", async () => {
    repo.files = { ...repo.files, "chat_template.jinja": "" };
    const folder = await download();
    expect((await stat(join(folder, "chat_template.jinja"))).size).toBe(0);
  });

  test("copies where the file system has no links", async () => {
    const folder = await download();
    const cache = repoCache(join(home, "hub"), {
      kind: "model",
      repo: "owner/tiny",
      revision: "main",
    });
    const name = readdirSync(cache.blobs).find((each) => each.length === 64)!;
    const file = { path: "copy.safetensors", sizeBytes: WEIGHTS.length, gitOid: "", sha256: name };
    await placeInSnapshot(cache, FAKE_COMMIT, file, noLinks);
    expect((await lstat(join(folder, "copy.safetensors"))).isFile()).toBe(true);
    expect(Buffer.compare(await readFile(join(folder, "copy.safetensors")), WEIGHTS)).toBe(0);
  });
});

describe("a cut connection", () => {
  test("is resumed within one call with a Range request", async () => {
    hub.fileFault = (path, count) =>
      path === "model.safetensors" && count === 1
        ? { kind: "cut", afterBytes: 150_000 }
        : undefined;
    const folder = await download();
    expect(Buffer.compare(await readFile(join(folder, "model.safetensors")), WEIGHTS)).toBe(0);
    expect(fileRequests("model.safetensors")).toEqual([undefined, "bytes=150000-"]);
    expect(await leftovers()).toEqual([]);
  });

  test("leaves an .incomplete file that the next call goes on from", async () => {
    hub.fileFault = (path) =>
      path === "model.safetensors" ? { kind: "cut", afterBytes: 100_000 } : undefined;
    const error = await failure(download({ retry: { firstDelayMs: 1, tries: 2 } }));
    expect(error).toBeInstanceOf(RuntimeError);
    expect(error.message).toContain("model.safetensors");
    expect(await leftovers()).toHaveLength(1);
    const folder = join(home, "hub", "models--owner--tiny", "snapshots", FAKE_COMMIT);
    expect(existsSync(join(folder, "model.safetensors"))).toBe(false);

    hub.fileFault = () => undefined;
    hub.requests.length = 0;
    const progress = recorder();
    await download({ progress });
    expect(fileRequests("model.safetensors")).toEqual(["bytes=200000-"]);
    expect(Buffer.compare(await readFile(join(folder, "model.safetensors")), WEIGHTS)).toBe(0);
    const [done] = progress.updates[0]!;
    // What was left counts at once; the small files weigh less than 200 bytes.
    expect(done).toBeGreaterThanOrEqual(200_000);
    expect(done).toBeLessThan(200_200);
    expect(await leftovers()).toEqual([]);
  });

  test("starts over where the server knows no ranges", async () => {
    hub.fileFault = (path, count) => {
      if (path !== "model.safetensors") return undefined;
      return count === 1 ? { kind: "cut", afterBytes: 150_000 } : { kind: "no-range" };
    };
    const folder = await download();
    expect(Buffer.compare(await readFile(join(folder, "model.safetensors")), WEIGHTS)).toBe(0);
    expect(fileRequests("model.safetensors")).toHaveLength(2);
  });

  test("gives up when a server without ranges is cut at the same place each time", async () => {
    const big = bytes(3_000_000, 1);
    repo.files = { ...SMALL, "model.safetensors": big };
    // Ignores ranges by sending the whole length and then breaks off.
    hub.fileFault = (path) => (path === "model.safetensors" ? { kind: "no-range" } : undefined);
    let sent = 0;
    const isStorage = (input: unknown): boolean =>
      typeof input === "string" && input.startsWith(hub.storageUrl);
    const cutting: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      if (!isStorage(input) || response.body === null) return response;
      sent++;
      const reader = response.body.getReader();
      let left = 1_500_000;
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          const { value } = await reader.read();
          if (value === undefined || left <= 0) controller.error(new Error("reset by peer"));
          else controller.enqueue(value);
          left -= value?.length ?? 0;
        },
      });
      return new Response(body, { status: response.status, headers: response.headers });
    };
    const error = await failure(download({ fetch: cutting, retry: { firstDelayMs: 1, tries: 3 } }));
    expect(error.message).toContain("reset by peer");
    expect(sent).toBeLessThan(8);
  });

  test("counts silence as a cut", async () => {
    hub.fileFault = (path, count) =>
      path === "model.safetensors" && count === 1
        ? { kind: "stall", afterBytes: 99_000 }
        : undefined;
    await download({ retry: { firstDelayMs: 1, idleTimeoutMs: 300 } });
    expect(fileRequests("model.safetensors")).toEqual([undefined, "bytes=99000-"]);
  });

  test("is told from being stopped by the user, who finds the bytes kept", async () => {
    hub.fileFault = (path) =>
      path === "model.safetensors" ? { kind: "stall", afterBytes: 99_000 } : undefined;
    const abort = new AbortController();
    const progress = recorder();
    const call = download({
      signal: abort.signal,
      progress: {
        ...progress,
        update: (done) => {
          if (done > 99_000) abort.abort();
        },
      },
    });
    expect((await failure(call)).name).toBe("AbortError");
    const [left] = await leftovers();
    const size = (await stat(join(home, "hub", "models--owner--tiny", "blobs", left!))).size;
    expect(size).toBe(99_000);
  });
});

describe("a busy server", () => {
  test("is asked again, after the time it names", async () => {
    hub.fileFault = (path, count) => {
      if (path !== "model.safetensors" || count > 2) return undefined;
      return count === 1
        ? { kind: "status", status: 429, headers: { "retry-after": "1" } }
        : { kind: "status", status: 503 };
    };
    const start = performance.now();
    await download();
    expect(performance.now() - start).toBeGreaterThan(900);
    expect(fileRequests("model.safetensors")).toHaveLength(3);
  });

  test("that asks for a long wait is reported instead", async () => {
    hub.fileFault = () => ({ kind: "status", status: 429, headers: { "retry-after": "3600" } });
    const error = await failure(download());
    expect(error).toBeInstanceOf(RuntimeError);
    expect(error.message).toContain("wait 3600 s");
  });

  test("gets a fresh signed address when the storage refuses the old one", async () => {
    hub.fileFault = (path, count) =>
      path === "model.safetensors" && count === 1 ? { kind: "status", status: 403 } : undefined;
    await download();
    const asked = hub.requests.filter((each) => each.url.endsWith("/model.safetensors"));
    expect(asked).toHaveLength(2);
  });
});

describe("a damaged file", () => {
  test.each([
    ["shorter", WEIGHTS.subarray(0, 1000), "wrong size"],
    ["longer", bytes(300_001, 1), "wrong size"],
    ["of other content", bytes(300_000, 9), "checksum mismatch"],
  ])("that is %s than promised is refused and nothing of it kept", async (_, content, reason) => {
    hub.fileFault = (path) =>
      path === "model.safetensors" ? { kind: "replace", content } : undefined;
    const error = await failure(download());
    expect(error).toBeInstanceOf(RuntimeError);
    expect(error.message).toContain(reason);
    expect(error.message).toContain("model.safetensors");
    expect(await weightBlobs()).toEqual([]);
    const refs = join(home, "hub", "models--owner--tiny", "refs");
    expect(existsSync(refs)).toBe(false);
  });

  test("is found among the small ones too, by git's own id", async () => {
    hub.fileFault = (path) =>
      path === "config.json"
        ? { kind: "replace", content: Buffer.from('{"model_type":"LLAMA"}') }
        : undefined;
    expect((await failure(download())).message).toContain("config.json: checksum mismatch");
  });

  test("whose beginning was spoilt by an earlier call is fetched again from the start", async () => {
    hub.fileFault = (path) =>
      path === "model.safetensors" ? { kind: "cut", afterBytes: 100_000 } : undefined;
    await failure(download({ retry: { firstDelayMs: 1, tries: 1 } }));
    const [left] = await leftovers();
    const path = join(home, "hub", "models--owner--tiny", "blobs", left!);
    await writeFile(path, bytes(100_000, 77));
    hub.fileFault = () => undefined;
    const folder = await download();
    expect(Buffer.compare(await readFile(join(folder, "model.safetensors")), WEIGHTS)).toBe(0);
    expect(fileRequests("model.safetensors").slice(-2)).toEqual(["bytes=100000-", undefined]);
  });

  test("that somebody truncated in the cache is fetched again", async () => {
    const folder = await download();
    await writeFile(join(folder, "model.safetensors"), "short"); // through the link, into the blob
    await download();
    expect(Buffer.compare(await readFile(join(folder, "model.safetensors")), WEIGHTS)).toBe(0);
  });

  test("that is larger than the disk is refused before it is asked for", async () => {
    repo.editListing = (entries) =>
      entries.map((entry) =>
        entry.lfs ? { ...entry, size: 2 ** 52, lfs: { ...entry.lfs, size: 2 ** 52 } } : entry,
      );
    const error = await failure(download());
    expect(error).toBeInstanceOf(RuntimeError);
    expect(error.message).toMatch(/needs \d+ GB .* free/);
    expect(hub.requests.some((each) => each.url.includes("/resolve/"))).toBe(false);
  });
});

describe("access", () => {
  test("to a gated model without a token tells where to accept the licence and to set HF_TOKEN", async () => {
    repo.access = "gated";
    const error = await failure(download());
    expect(error).toBeInstanceOf(RuntimeError);
    expect(error.message).toContain("gated");
    expect(error).toMatchObject({ hint: expect.stringContaining(`${hub.url}/owner/tiny`) });
    expect(error).toMatchObject({ hint: expect.stringContaining("HF_TOKEN") });
    expect(await leftovers()).toEqual([]);
  });

  test("to a gated model is opened by a token, from HF_TOKEN or the token file", async () => {
    repo.access = "gated";
    await download({ env: { HF_TOKEN: FAKE_TOKEN } });
    await rm(join(home, "hub"), { recursive: true });
    await writeFile(join(home, "token"), `${FAKE_TOKEN}\n`);
    expect(readdirSync(await download())).toHaveLength(5);
  });

  test("to a private model tells a stranger to sign in and a wrong token that it is wrong", async () => {
    repo.access = "private";
    const stranger = await failure(download());
    expect(stranger.message).toContain("does not exist or is private");
    const wrong = await failure(download({ env: { HF_TOKEN: "hf_wrong" } }));
    expect(wrong.message).toContain("your token gives no access");
    expect(wrong.message).not.toContain("hf_wrong");
  });

  test("never sends the token to another host than the endpoint", async () => {
    repo.access = "gated";
    await download({ env: { HF_TOKEN: FAKE_TOKEN } });
    const storage = hub.requests.filter((each) => each.host === "storage");
    expect(storage.length).toBeGreaterThan(0);
    expect(storage.filter((each) => each.authorization !== undefined)).toEqual([]);
    const own = hub.requests.filter((each) => each.host === "hub");
    expect(own.every((each) => each.authorization === `Bearer ${FAKE_TOKEN}`)).toBe(true);
  });

  test("never sends the token along a Link header to another host either", async () => {
    hub.intercept = (request, response) => {
      if (!request.url?.includes("/tree/")) return false;
      response.setHeader("content-type", "application/json");
      response.setHeader("link", `<${hub.storageUrl}/model/owner/tiny/next>; rel="next"`);
      response.end("[]");
      return true;
    };
    await failure(download({ env: { HF_TOKEN: FAKE_TOKEN } }));
    const storage = hub.requests.filter((each) => each.host === "storage");
    expect(storage.length).toBeGreaterThan(0);
    expect(storage.filter((each) => each.authorization !== undefined)).toEqual([]);
  });

  test("works with a token of any form, for hubs that are not huggingface.co", async () => {
    await download({ env: { HF_TOKEN: "mirror-token" } });
    expect(hub.requests[0]!.authorization).toBe("Bearer mirror-token");
  });

  test("follows a renamed repository and keeps the token on the same host", async () => {
    hub.intercept = (request, response) => {
      if (!request.url?.includes("owner/old")) return false;
      response.writeHead(307, { location: request.url.replace("owner/old", "owner/tiny") });
      response.end();
      return true;
    };
    repo.access = "private";
    const folder = await download({ env: { HF_TOKEN: FAKE_TOKEN } }, "hf://owner/old");
    expect(folder).toContain("models--owner--old");
    expect(readdirSync(folder)).toHaveLength(5);
  });
});

describe("what is not there", () => {
  test("is told apart: repository, revision", async () => {
    const token = { env: { HF_TOKEN: FAKE_TOKEN } };
    const noRepo = await failure(download(token, "hf://owner/absent"));
    expect(noRepo).toBeInstanceOf(ConfigError);
    expect(noRepo.message).toContain("there is no model owner/absent");
    const noRevision = await failure(download({}, `${URI}@v9`));
    expect(noRevision).toBeInstanceOf(ConfigError);
    expect(noRevision.message).toContain('no revision "v9"');
    expect(existsSync(join(home, "hub"))).toBe(false);
  });

  test("is told for a file that vanished between listing and download", async () => {
    hub.fileFault = (path) =>
      path === "tokenizer.json"
        ? { kind: "status", status: 404, headers: { "x-error-code": "EntryNotFound" } }
        : undefined;
    const error = await failure(download());
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain("tokenizer.json");
  });

  test("includes safetensors in a repository that has only pickles", async () => {
    repo.files = { ...SMALL, "pytorch_model.bin": "pickle" };
    const error = await failure(download());
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(hub.requests.some((each) => each.url.includes("/resolve/"))).toBe(false);
  });

  test("includes datasets and paths, which are no checkpoints", async () => {
    for (const uri of ["hf://datasets/o/n", "hf://o/n/config.json"]) {
      expect(await failure(download({}, uri))).toBeInstanceOf(ConfigError);
    }
    expect(hub.requests).toEqual([]);
  });
});

describe("a hostile or broken hub", () => {
  test.each(["../../../evil.safetensors", "/tmp/evil", "a\\..\\evil", "evil\0.json", "C:/evil"])(
    "cannot make it write to %j",
    async (path) => {
      repo.editListing = (entries) => [...entries, { ...entries.at(-1)!, path }];
      const error = await failure(download());
      expect(error).toBeInstanceOf(FormatError);
      expect(readdirSync(home)).toEqual([]);
    },
  );

  test.each([
    ["an id that is a path", { oid: "../../evil" }],
    ["a negative size", { size: -1 }],
    ["a large-file id that is a path", { lfs: { oid: "../../evil", size: 1, pointerSize: 1 } }],
  ])("cannot pass %s", async (_, change) => {
    repo.editListing = (entries) => entries.map((entry) => ({ ...entry, ...change }));
    expect(await failure(download())).toBeInstanceOf(FormatError);
  });

  test.each([
    ["a login page", "text/html", "<html>"],
    ["another kind of JSON", "application/json", "[]"],
    ["null", "application/json", "null"],
    ["a commit that is a path", "application/json", '{"sha":"../../x","lastModified":"x"}'],
  ])("is recognised by %s", async (_, type, body) => {
    hub.intercept = (_request, response) => {
      response.setHeader("content-type", type);
      response.end(body);
      return true;
    };
    expect(await failure(download())).toBeInstanceOf(FormatError);
  });

  test.each([["{}"], ["[1]"], ["[null]"], ['[{"type":"file"}]']])(
    "is recognised by the listing %s",
    async (body) => {
      hub.intercept = (request, response) => {
        if (!request.url?.includes("/tree/")) return false;
        response.end(body);
        return true;
      };
      expect(await failure(download())).toBeInstanceOf(FormatError);
    },
  );

  test("cannot keep it busy with pages or redirects in a circle", async () => {
    hub.intercept = (request, response) => {
      if (!request.url?.includes("/tree/")) return false;
      response.setHeader("link", `<${hub.url}${request.url}>; rel="next"`);
      response.end("[]");
      return true;
    };
    expect((await failure(download())).message).toContain("circle");
    hub.intercept = (request, response) => {
      response.writeHead(302, { location: request.url });
      response.end();
      return true;
    };
    expect((await failure(download())).message).toContain("redirects");
    expect(hub.requests.length).toBeLessThan(40);
  });

  test("cannot send it to a local file", async () => {
    hub.intercept = (_request, response) => {
      response.writeHead(302, { location: "file:///etc/passwd" });
      response.end();
      return true;
    };
    expect((await failure(download())).message).toContain("not https");
  });

  test("cannot put control characters on the terminal", async () => {
    hub.intercept = (_request, response) => {
      response.writeHead(400, { "x-error-message": "\u009b31m red" });
      response.end();
      return true;
    };
    // oxlint-disable-next-line no-control-regex -- that is what is looked for
    expect((await failure(download())).message).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  });
});

describe("without a network", () => {
  test("uses the copy in the cache and says so", async () => {
    const folder = await download();
    await hub.stop();
    const progress = recorder();
    expect(await download({ progress })).toBe(folder);
    expect(progress.notes).toHaveLength(1);
    expect(progress.notes[0]).toMatch(/using the copy in the cache.*ECONNREFUSED/);
  });

  test("uses the copy as well when the hub answers only with its own errors", async () => {
    const folder = await download();
    hub.intercept = (_request, response) => {
      response.writeHead(503);
      response.end();
      return true;
    };
    expect(await download()).toBe(folder);
  });

  test("asks nothing at all when HF_HUB_OFFLINE is set", async () => {
    const folder = await download();
    hub.requests.length = 0;
    const progress = recorder();
    expect(await download({ env: { HF_HUB_OFFLINE: "1" }, progress })).toBe(folder);
    expect(hub.requests).toEqual([]);
    expect(progress.notes[0]).toContain("HF_HUB_OFFLINE");
  });

  test("says what is lacking when there is no copy, or not a whole one", async () => {
    const offline = { env: { HF_HUB_OFFLINE: "1" } };
    const absent = await failure(download(offline));
    expect(absent).toBeInstanceOf(RuntimeError);
    expect(absent.message).toContain("no copy of this revision");
    expect(hub.requests).toEqual([]);
    const folder = await download();
    await rm(join(folder, "tokenizer_config.json"));
    expect((await failure(download(offline))).message).toContain("lacks tokenizer_config.json");
  });

  test("says so when there is neither network nor copy", async () => {
    await hub.stop();
    const error = await failure(download());
    expect(error).toBeInstanceOf(RuntimeError);
    expect(error.message).toMatch(/no copy of this revision.*ECONNREFUSED/);
  });

  test("keeps to the last whole snapshot when an update was interrupted", async () => {
    const before = await download();
    repo.refs = { main: "b".repeat(40) };
    repo.files = { ...repo.files, "model.safetensors": bytes(300_000, 5) };
    hub.fileFault = () => ({ kind: "cut", afterBytes: 10 });
    await failure(download({ retry: { firstDelayMs: 1, tries: 1 } }));
    expect(await download({ env: { HF_HUB_OFFLINE: "1" } })).toBe(before);
  });

  test("accepts a copy that an older library left without a listing, if it is whole", async () => {
    const folder = await download();
    await rm(join(home, "hub", "models--owner--tiny", "trees"), { recursive: true });
    const offline = { env: { HF_HUB_OFFLINE: "1" } };
    expect(await download(offline)).toBe(folder);
    await rm(join(folder, "model.safetensors"));
    expect((await failure(download(offline))).message).toContain("lacks some of its weights");
    await rm(join(folder, "tokenizer.json"));
    expect((await failure(download(offline))).message).toContain("lacks tokenizer.json");
  });

  test("refuses a damaged listing or reference in the cache instead of guessing", async () => {
    await download();
    const cache = join(home, "hub", "models--owner--tiny");
    await writeFile(join(cache, "trees", `${FAKE_COMMIT}.json`), "{");
    expect(await failure(download())).toBeInstanceOf(FormatError);
    await writeFile(join(cache, "refs", "main"), "../../x");
    expect(await failure(download({ env: { HF_HUB_OFFLINE: "1" } }))).toBeInstanceOf(FormatError);
  });
});

describe("where the cache lies", () => {
  test("is HF_HUB_CACHE before HF_HOME", async () => {
    const folder = await download({ env: { HF_HUB_CACHE: join(home, "elsewhere") } });
    expect(folder.startsWith(join(home, "elsewhere", "models--owner--tiny"))).toBe(true);
    expect(existsSync(join(home, "hub"))).toBe(false);
  });

  test("must be a folder that can be written", async () => {
    await writeFile(join(home, "file"), "");
    const error = await failure(download({ env: { HF_HOME: join(home, "file") } }));
    expect(error).toBeInstanceOf(RuntimeError);
    expect(error).toMatchObject({ hint: expect.stringContaining("HF_HOME") });
  });

  test.skipIf(process.getuid?.() === 0)("may be read-only when all is there", async () => {
    const folder = await download();
    const cache = join(home, "hub", "models--owner--tiny");
    await rm(join(cache, "refs"), { recursive: true });
    await mkdir(join(cache, "refs"));
    await chmod(join(cache, "refs"), 0o555);
    await chmod(cache, 0o555);
    expect(await download()).toBe(folder);
    await chmod(cache, 0o755);
    await chmod(join(cache, "refs"), 0o755);
  });
});

describe("several at once", () => {
  test("calls in one process share one download", async () => {
    const folders = await Promise.all(Array.from({ length: 4 }, async () => await download()));
    expect(new Set(folders).size).toBe(1);
    expect(Buffer.compare(await readFile(join(folders[0]!, "model.safetensors")), WEIGHTS)).toBe(0);
    expect(await leftovers()).toEqual([]);
  });

  test("processes do not spoil each other's files, one of them killed on the way", async () => {
    hub.fileFault = (path, count) =>
      path === "model.safetensors" && count === 1
        ? { kind: "stall", afterBytes: 50_000 }
        : undefined;
    const script = `
      import { downloadCheckpoint } from ${JSON.stringify(new URL("./download-checkpoint.ts", import.meta.url).href)};
      console.log(await downloadCheckpoint("${URI}", { retry: { firstDelayMs: 1 } }));`;
    const start = (): PromiseWithChild<{ stdout: string }> =>
      promisify(execFile)(
        process.execPath,
        ["--import", "tsx", "--input-type=module", "-e", script],
        { env: { ...process.env, ...fakeHubEnvironment(hub, home) } },
      );
    const victim = start();
    const died = failure(victim);
    while (fileRequests("model.safetensors").length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const others = [start(), start(), start()];
    await new Promise((resolve) => setTimeout(resolve, 700));
    victim.child.kill("SIGKILL");
    await died;
    const outputs = await Promise.all(others);
    for (const { stdout } of outputs) {
      const content = await readFile(join(stdout.trim(), "model.safetensors"));
      expect(Buffer.compare(content, WEIGHTS)).toBe(0);
    }
    expect(await leftovers()).toEqual([]);
    // The survivors waited for the victim and went on from its bytes.
    expect(fileRequests("model.safetensors")).toContain("bytes=50000-");
  });
});
