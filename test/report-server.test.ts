/** The server of a report: the same answers as the report from disk, its API and the schemas of it, and which requests it refuses. */
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { type IncomingHttpHeaders, request } from "node:http";
import { connect } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";

import { queryPairs } from "../page/source/query-pairs.ts";
import { readDecisions } from "../src/edit/decisions.ts";
import { localHost } from "../src/engine/local-host.ts";
import { openRunPairs } from "../src/report/pair-reading.ts";
import { PARTS } from "../src/report/parts/index.ts";
import { readReport, type ReportData } from "../src/report/read-report.ts";
import type { PairQuery, PairRow, QueuePlace, ReviewSummary } from "../src/report/report-source.ts";
import { openRunFolder } from "../src/report/run-folder.ts";
import { openRunSource, type RunSource } from "../src/report/serve/run-source.ts";
import { RESULT } from "../src/runs/result.ts";
import { openApi } from "../src/serve/open-api.ts";
import { ROUTES } from "../src/serve/routes.ts";
import { serveRun, type ServedRun } from "../src/serve/serve-run.ts";
import { ConfigError } from "../src/util/errors.ts";
import { expectFailure } from "./support/errors.ts";
import { makeReportRun } from "./support/report-run.ts";
import { makeScoredForecast } from "./support/scored-forecast.ts";
import { suiteFolder } from "./support/suite-folder.ts";

vi.setConfig({ testTimeout: 400_000, hookTimeout: 400_000 });

const suite = suiteFolder();
const KEY = "a-key-of-mine-82736455";
let run: string;
let source: RunSource;
let server: ServedRun;
let disk: ReportData;
const faults: unknown[] = [];

beforeAll(async () => {
  process.env["MY_SERVICE_KEY"] = KEY;
  run = await makeReportRun(join(suite, "where it was made"), KEY);
  const forecast = await makeScoredForecast(run);
  source = openRunSource(run, { host: localHost, forecast });
  server = await serveRun(source, { onFault: (error) => faults.push(error) });
  const folder = await openRunFolder(run);
  disk = await readReport({
    run: folder,
    pairs: await openRunPairs(folder, {}),
    tokens: { count: 5, host: localHost },
    forecast,
  });
});

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await source?.[Symbol.asyncDispose]();
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** What the OpenAPI file says of an answer. */
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}
interface Operation {
  readonly responses: Readonly<
    Record<
      string,
      { readonly content: { readonly "application/json": { readonly schema: object } } }
    >
  >;
}

/** A schema of the document as one that can be held to a value. */
function schemaOf(schema: object, { components }: Document): z.ZodType {
  const whole = JSON.stringify({ ...schema, $defs: components.schemas });
  return z.fromJSONSchema(
    JSON.parse(
      whole.replaceAll("#/components/schemas/", "#/$defs/"),
    ) as z.core.JSONSchema.JSONSchema,
  );
}

/** A run whose manifest no version can read. */
async function makeBrokenRun(): Promise<string> {
  const folder = join(suite, "broken");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "run.json"), '{"format":"culprit-run"}');
  await writeFile(join(folder, "result.json"), "{}");
  return folder;
}

/** A request as a browser, or a forger, would send it. */
function send(
  path: string,
  { method = "GET", headers = {}, body }: Asked = {},
  { url }: Pick<ServedRun, "url"> = server,
): Promise<Answer> {
  const { port } = new URL(url);
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path, method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

const get = async (path: string): Promise<unknown> => JSON.parse((await send(path)).text);

/** What JSON keeps of a value. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const QUERIES: readonly Partial<PairQuery>[] = [
  {},
  { isDescending: true },
  { sort: "score", isDescending: true },
  { sort: "source" },
  { sort: "norm", isDescending: true },
  { sort: "id" },
  { method: 2 },
  { method: 1, sort: "score" },
  { search: "east" },
  { search: "PAIR-1 1" },
  { source: "south" },
  { flag: "shared prompt" },
  { flag: "repeated" },
  { flag: "near-identical" },
  { min: 0, max: 0.2 },
  { search: "100%_" },
];

it.each(QUERIES)("lists the same pairs as a report from disk: %o", async (asked) => {
  const query: PairQuery = { method: 0, sort: "rank", isDescending: false, ...asked };
  const expected = queryPairs(disk.pairs!, query);
  const found = await source.pairs(query);
  expect(found.count).toBe(expected.count);
  const rows = await found.rows(0, found.count);
  const wanted = await expected.rows(0, expected.count);
  expect(rows).toEqual(wanted);
  for (const at of [...new Set([0, found.count >> 1, found.count - 1])].filter(
    (each) => each >= 0 && each < found.count,
  )) {
    const page = await found.rows(at, at + 3);
    expect(page).toEqual(wanted.slice(at, at + 3));
    expect(await found.indexOf(wanted[at]!.id)).toBe(at);
  }
  expect(await found.indexOf("nobody")).toBe(-1);
});

it("marks pairs that repeat one another, and those whose sides are nearly the same", async () => {
  const marked = async (flag: "repeated" | "near-identical"): Promise<string[]> => {
    const found = await source.pairs({ method: 0, sort: "id", isDescending: false, flag });
    return (await found.rows(0, found.count)).map(({ id }) => id);
  };
  expect(await marked("repeated")).toEqual(["pair-40", "pair-41"]);
  expect(await marked("near-identical")).toContain("pair-42");
  expect(disk.parts.audit!.duplicates.repeatedPairs).toBe(1);
  expect((await marked("near-identical")).length).toBe(disk.parts.audit!.nearIdentical.pairs);
});

it("says the same of the ranking, of its parts and of one pair as a report from disk", async () => {
  const { selection: _, ...summary } = (await source.pairSummary())!;
  const { selection: __, ...expected } = disk.pairs!.summary;
  expect(summary).toEqual(expected);
  for (const [name, value] of Object.entries(disk.parts)) {
    expect(plain(await source.part(name as "overview"))).toEqual(plain(value));
  }
  const details = disk.chunks.flat();
  expect(details.length).toBe(76);
  for (const { tokens: ___, ...wanted } of details)
    expect(await source.pair(wanted.id)).toEqual(wanted);
  expect(await source.pair("nobody")).toBeUndefined();
});

it("shades the tokens of a pair when asked, as a report from disk does", async () => {
  const shaded = disk.chunks.flat().filter(({ tokens }) => tokens !== undefined);
  expect(shaded).toHaveLength(5);
  for (const { id, tokens } of shaded) {
    const { tokens: found } = (await source.tokens(id))!;
    expect(found).toEqual(tokens);
  }
  const last = disk.pairs!.ids.at(-1)!;
  const { tokens } = (await source.tokens(last))!;
  expect(tokens!.sum).toBeCloseTo(disk.pairs!.scores[0]!.at(-1)!, 2);
  expect(await source.tokens("nobody")).toBeUndefined();
});

it("says in the library what a folder is that holds no run", async () => {
  const none = join(suite, "none");
  const message = `${none}: expected the folder of an experiment, got no such folder`;
  const wrong = openRunSource(none);
  const query: PairQuery = { method: 0, sort: "rank", isDescending: false };
  const asked = [
    () => readReport(none),
    () => wrong.pairSummary(),
    () => wrong.pairs(query),
    () => wrong.pair("a"),
    () => wrong.part("overview"),
    () => wrong.progress(),
    () => wrong.result(),
  ];
  for (const ask of asked) {
    const error = await expectFailure(ask, ConfigError);
    expect(error.message).toBe(message);
    expect(error.hint).toMatch(/culprit run makes such folders/);
  }
  await wrong[Symbol.asyncDispose]();
  const { pairs } = await readReport(run);
  expect(pairs?.ids).toEqual(disk.pairs?.ids);
});

describe("the API", () => {
  it("answers each route as its schema says, which is the one of the OpenAPI file", async () => {
    const asked = [
      "/api/progress",
      "/api/result",
      "/api/summary",
      "/api/pairs?sort=score&descending=true&start=10&end=20&id=pair-7",
      "/api/pair?id=pair-7",
      "/api/tokens?id=pair-7",
      "/api/part?name=overview",
      "/api/review",
      "/api/queue?name=top&k=20&order=random&at=3",
    ];
    const reads = ROUTES.filter(({ method }) => method === "GET");
    const document = (await get("/api/openapi.json")) as ReturnType<typeof openApi>;
    expect(document).toEqual(plain(openApi()));
    expect(Object.keys(document["paths"] as object)).toEqual(ROUTES.map(({ path }) => path));
    expect(asked.map((path) => path.split("?")[0])).toEqual(reads.map(({ path }) => path));
    for (const [i, path] of asked.entries()) {
      const { status, headers, text } = await send(path);
      expect({ path, status }).toEqual({ path, status: 200 });
      expect(headers["content-type"]).toBe("application/json; charset=utf-8");
      expect(() => reads[i]!.answer.parse(JSON.parse(text))).not.toThrow();
    }
    expect(faults).toEqual([]);
  });

  it("is described by docs/report-api.json as it is: npm run regenerate", async () => {
    const written = await readFile(new URL("../docs/report-api.json", import.meta.url), "utf8");
    expect(JSON.parse(written)).toEqual(plain(openApi()));
  });

  it("has references in the OpenAPI file that lead somewhere", async () => {
    const text = JSON.stringify(openApi());
    const { components } = openApi() as { components: { schemas: object } };
    const names = Object.keys(components.schemas);
    const wanted = [...text.matchAll(/"\$ref":"([^"]*)"/g)].map(([, to]) => to!);
    expect(wanted.length).toBeGreaterThan(5);
    expect(wanted.filter((to) => !names.includes(to.replace("#/components/schemas/", "")))).toEqual(
      [],
    );
    // As every schema of JSON.
    for (const schema of Object.values(components.schemas) as z.core.JSONSchema.BaseSchema[]) {
      expect(schema.type ?? schema.anyOf).toBeDefined();
    }
  });

  it("gives pages of the ranking that fit together, and at most 500 rows", async () => {
    const page = (await get("/api/pairs?start=10&end=20&id=pair-7")) as {
      count: number;
      rows: PairRow[];
      index: number;
    };
    const all = (await get("/api/pairs?end=5000")) as { count: number; rows: PairRow[] };
    expect(page.rows).toEqual(all.rows.slice(10, 20));
    expect(all.rows[page.index]!.id).toBe("pair-7");
    expect(all).toMatchObject({ count: 76 });
    expect(all.rows).toHaveLength(76);
    expect(await get("/api/result")).toEqual(plain(await RESULT.read(join(run, RESULT.name))));
  });

  it("finds the pairs of a source that is shown by another name, since it is a path", async () => {
    const pairs = ROUTES.find(({ path }) => path === "/api/pairs")!;
    const redact = <T>(value: T): T =>
      JSON.parse(JSON.stringify(value).replaceAll("south", "shown")) as T;
    const count = async (name: string): Promise<unknown> =>
      pairs.run(source, pairs.query.parse({ source: name, end: "0" }), redact);
    const { count: expected } = await source.pairs({
      method: 0,
      sort: "rank",
      isDescending: false,
      source: "south",
    });
    expect(expected).toBeGreaterThan(0);
    expect(await count("shown")).toMatchObject({ count: expected });
    expect(await count("nowhere")).toMatchObject({ count: 0 });
  });

  it("says what is wrong with a question", async () => {
    for (const [path, status, part] of [
      ["/api/pairs?sort=size", 400, "sort"],
      ["/api/pairs?start=-1", 400, "start"],
      ["/api/pairs?limit=3", 400, "limit"],
      ["/api/pair", 400, "id"],
      ["/api/pairs?method=7", 400, "method: expected one of 0 ("],
      ["/api/tokens?id=nobody", 404, "no pair"],
      ["/api/queue?name=nothing", 404, "no such queue"],
      ["/api/pair?id=nobody", 404, "no pair"],
      ["/api/part?name=secrets", 400, "name"],
      ["/api/nothing", 404, "no such page"],
    ] as const) {
      const found = await send(path);
      expect({ path, status: found.status }).toEqual({ path, status });
      expect((JSON.parse(found.text) as { error: string }).error).toContain(part);
    }
  });
});

describe("refuses", () => {
  it("every Host but the loopback's, as a name that was rebound to it", async () => {
    const { host } = new URL(server.url);
    for (const each of [
      "evil.example",
      "evil.example:80",
      "127.0.0.1.evil.example",
      "localhost@evil",
      "0.0.0.0",
      "[::1]",
      " ",
    ]) {
      for (const path of ["/", "/api/pairs", "/page.js"]) {
        const { status, text } = await send(path, { headers: { host: each } });
        expect({ each, path, status }).toEqual({ each, path, status: 403 });
        expect(text).not.toContain("pair-");
      }
    }
    for (const each of [host, host.replace("127.0.0.1", "localhost"), "localhost:9999"]) {
      expect(await send("/api/progress", { headers: { host: each } })).toMatchObject({
        status: 200,
      });
    }
  });

  it("requests of other sites, but for a link to the page", async () => {
    const { origin, host } = new URL(server.url);
    const cases: [string, Record<string, string>, number][] = [
      ["/api/pairs", { origin: "http://evil.example" }, 403],
      ["/api/pairs", { origin: "null" }, 403],
      ["/api/pairs", { origin: origin.replace("http:", "https:") }, 403],
      ["/api/pairs", { origin, host: "localhost:1" }, 403],
      ["/api/pairs", { "sec-fetch-site": "cross-site" }, 403],
      ["/api/pairs", { "sec-fetch-site": "same-site" }, 403],
      ["/api/pairs", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }, 403],
      ["/page.js", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }, 403],
      ["/", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }, 200],
      ["/api/pairs", { origin, host, "sec-fetch-site": "same-origin" }, 200],
      ["/api/pairs", { "sec-fetch-site": "none" }, 200],
    ];
    for (const [path, headers, status] of cases) {
      const found = await send(path, { headers });
      expect({ path, headers, status: found.status }).toEqual({ path, headers, status });
      expect(found.headers["access-control-allow-origin"]).toBeUndefined();
    }
  });

  it("other methods", async () => {
    for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"]) {
      for (const path of ["/", "/api/pairs", "/api/nothing"]) {
        const { status, headers } = await send(path, { method });
        expect({ method, path, status }).toEqual({ method, path, status: 405 });
        expect(headers.allow).toBe("GET, HEAD");
      }
    }
    const head = await send("/", { method: "HEAD" });
    expect(head).toMatchObject({ status: 200, text: "" });
  });

  it("paths out of its pages, written in whatever way", async () => {
    const manifest = await readFile(join(run, "run.json"), "utf8");
    for (const path of [
      "/run.json",
      "/../run.json",
      "/..%2frun.json",
      "/%2e%2e/%2e%2e/etc/passwd",
      "//etc/passwd",
      "/page.js/../../run.json",
      encodeURI(`/${join(run, "run.json")}`),
      "/api/../../run.json",
      "/stages",
      "/api/pair/../../../etc/passwd",
      "/page.js%00.json",
      String.raw`/..\..\etc\passwd`,
    ]) {
      const { status, text } = await send(path);
      expect({ path, status }).toEqual({ path, status: 404 });
      expect(text).not.toContain("root:");
      expect(text).not.toContain(manifest.slice(0, 30));
    }
    for (const path of ["/api/pair?id=../run.json", "/api/part?name=../run.json"]) {
      expect((await send(path)).status).toBeGreaterThanOrEqual(400);
    }
  });

  it("to be spoken to with what is no HTTP, and goes on", async () => {
    const { port } = new URL(server.url);
    for (const words of [
      "\u0000\u0001nonsense\r\n\r\n",
      "GET http://[ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
      "GET / HTTP/1.1\r\n\r\n",
    ]) {
      const answer = await new Promise<string>((resolve) => {
        const socket = connect(Number(port), "127.0.0.1", () => socket.write(words));
        let text = "";
        socket.on("data", (part) => (text += part.toString("utf8")));
        socket.on("close", () => resolve(text)).on("error", () => resolve(text));
        socket.setTimeout(2_000, () => socket.destroy());
      });
      expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    }
    expect(await send("/")).toMatchObject({ status: 200 });
  });
});

describe("the review", () => {
  const decisions = (): string => join(run, "decisions.jsonl");
  const decide = (body: object, headers: Record<string, string> = {}): Promise<Answer> =>
    send("/api/decision", {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });

  it("steps through the pairs of an automatic edit or of the top, and tells what is open", async () => {
    const { queues } = (await get("/api/review")) as ReviewSummary;
    const { scored } = disk.pairs!.summary.methods[0]!;
    expect(queues.at(-1)).toEqual({ name: "top", pairs: scored });
    const arms = (await readdir(join(run, "stages"))).filter((name) =>
      /^edit-filter-\d+-[^-]*$/.test(name),
    );
    expect(arms.length).toBeGreaterThan(0);
    expect(queues.length).toBeGreaterThan(1);
    for (const { name, pairs } of queues.slice(0, -1)) {
      const place = (await get(`/api/queue?name=${encodeURIComponent(name)}`)) as QueuePlace;
      expect(place).toMatchObject({ count: pairs, decided: 0, open: 0 });
    }
    const inRank: string[] = [];
    const inRandom: string[] = [];
    for (let at = 0; at < 10; at++) {
      const ranked = (await get(`/api/queue?k=10&at=${at}`)) as QueuePlace;
      const random = (await get(`/api/queue?k=10&order=random&at=${at}`)) as QueuePlace;
      inRank.push(ranked.decision!.id);
      inRandom.push(random.decision!.id);
    }
    expect(inRank).toEqual(disk.pairs!.ids.slice(0, 10));
    expect(inRandom.toSorted()).toEqual(inRank.toSorted());
    expect(await get("/api/queue?k=10&at=10")).toEqual({ count: 10, decided: 0, open: 0 });
    expect(await send("/api/queue?name=nothing")).toMatchObject({ status: 404 });
    await expect(stat(decisions())).rejects.toThrow("ENOENT"); // nothing was decided yet
  });

  it("writes a decision down before it answers, and takes it back", async () => {
    const [first, second] = disk.pairs!.ids as [string, string];
    const made = await decide({ id: first, decision: "drop", note: "<b>no</b> /etc/passwd" });
    const blank = { id: first, decision: null, note: "" };
    const dropped = { id: first, decision: "drop", note: "<b>no</b> /etc/passwd" };
    expect(JSON.parse(made.text)).toEqual({ decision: dropped, before: blank });
    const { decisions: written } = await readDecisions(decisions());
    expect([...written.values()]).toEqual([dropped]);
    expect(await get("/api/queue?k=10")).toMatchObject({ decided: 1, open: 1, decision: dropped });
    expect(JSON.parse((await decide({ id: second, decision: "keep" })).text)).toMatchObject({
      decision: { id: second, decision: "keep" },
    });
    await decide({ id: second, decision: null });
    expect([...(await readDecisions(decisions())).decisions.keys()]).toEqual([first]);
  });

  it("says how far it agrees with the automatic edit, and the precision of what was reviewed", async () => {
    const top = disk.pairs!.ids.slice(0, 10);
    for (const [i, id] of top.entries()) {
      await decide({ id, decision: (["drop", "drop", "swap", "keep", "unsure"] as const)[i % 5] });
    }
    const { counts, agreements, precision } = (await get("/api/review")) as ReviewSummary;
    expect(counts).toEqual({ keep: 2, drop: 4, swap: 2, unsure: 2 });
    expect(precision).toHaveLength(1);
    expect(precision[0]).toMatchObject({ k: 10, basis: "all", reviewed: 10, unsure: 2 });
    expect(precision[0]!.precision).toMatchObject({ count: 6, of: 8, share: 0.75 });
    for (const { taken, left, agreement } of agreements) {
      const agreed = taken.drop + taken.swap + left.keep;
      expect(agreement).toMatchObject({ count: agreed, of: 8 });
      expect(taken.drop + left.drop).toBe(4);
    }
  });

  it("takes nothing from other sites, in other types, of other pairs or without end", async () => {
    const before = await readFile(decisions(), "utf8");
    const [id] = disk.pairs!.ids;
    const body = JSON.stringify({ id, decision: "drop" });
    const cases: [Record<string, string>, string, number][] = [
      [{ "content-type": "text/plain" }, body, 415],
      [{ "content-type": "application/x-www-form-urlencoded" }, body, 415],
      [{}, body, 415],
      [{ "content-type": "application/json", origin: "http://evil.example" }, body, 403],
      [{ "content-type": "application/json", origin: "null" }, body, 403],
      [{ "content-type": "application/json", host: "evil.example" }, body, 403],
      [{ "content-type": "application/json", "sec-fetch-site": "cross-site" }, body, 403],
      [{ "content-type": "application/json" }, "{", 400],
      [{ "content-type": "application/json" }, "[]", 400],
      [{ "content-type": "application/json" }, JSON.stringify({ id, decision: "burn" }), 400],
      [
        { "content-type": "application/json" },
        JSON.stringify({ id: "nobody", decision: "drop" }),
        400,
      ],
      [
        { "content-type": "application/json" },
        JSON.stringify({ id, decision: "drop", path: "/x" }),
        400,
      ],
      [{ "content-type": "application/json" }, JSON.stringify({ id, note: "n".repeat(1e5) }), 400],
    ];
    for (const [headers, text, status] of cases) {
      const found = await send("/api/decision", { method: "POST", headers, body: text });
      expect({ headers, text: text.slice(0, 60), status: found.status }).toEqual({
        headers,
        text: text.slice(0, 60),
        status,
      });
    }
    expect(await send("/api/decision")).toMatchObject({ status: 405, headers: { allow: "POST" } });
    expect(await readFile(decisions(), "utf8")).toBe(before);
  });
});

it("has a policy that lets the page ask this server and nobody else", async () => {
  const { headers, text } = await send("/");
  const policy = headers["content-security-policy"] ?? "";
  expect(policy).toContain("default-src 'none'; connect-src 'self'; script-src 'self'");
  expect(policy).not.toMatch(/unsafe|\*|http/);
  expect(policy).toContain("frame-ancestors 'none'");
  const [, own] = /http-equiv="Content-Security-Policy"\s+content="([^"]*)"/.exec(text)!;
  expect(policy).toBe(`${own}; frame-ancestors 'none'`);
});

it("tells nothing of this machine: no path, no value that looks like a key", async () => {
  const ids = disk.pairs!.ids;
  const paths = [
    "/",
    "/api/progress",
    "/api/result",
    "/api/summary",
    "/api/pairs?end=500",
    ...["overview", "behavior", "scenarios", "rankings", "audit", "provenance"].map(
      (name) => `/api/part?name=${name}`,
    ),
    ...ids.slice(0, 20).map((id) => `/api/pair?id=${id}`),
    "/api/pair?id=nobody",
    "/api/pair?id=pair-1",
    "/api/openapi.json",
  ];
  // The data hold the key, so that there is something to take out.
  expect((await send("/api/pair?id=pair-1")).text).toContain("My key is [redacted], please");
  for (const path of paths) {
    const { text } = await send(path);
    for (const secret of [KEY, suite, "where it was made/", `${process.cwd()}/`, `${homedir()}/`]) {
      expect({ path, secret, isThere: text.includes(secret) }).toEqual({
        path,
        secret,
        isThere: false,
      });
    }
  }
});

// Last: it decides a pair.
it("answers every documented status of every path by its schema, before and after the ranking", async () => {
  const document = (await get("/api/openapi.json")) as Document;
  const waiting = openRunSource(join(suite, "not begun"), { mayWait: true });
  const before = await serveRun(waiting);
  const broken = openRunSource(await makeBrokenRun());
  const failing = await serveRun(broken);
  const post = (body: string, type = "application/json"): Asked => ({
    method: "POST",
    headers: { "content-type": type },
    body,
  });
  const one = JSON.stringify({ id: "pair-7", decision: "keep", note: "" });
  const other = { headers: { origin: "https://elsewhere.example" } };
  // The questions of each path, a status each: of this server, of one whose run has not begun, and of one whose run is damaged.
  const asked: Readonly<
    Record<string, readonly (readonly [number, string, Asked?, ServedRun?])[]>
  > = {
    "/api/progress": [
      [200, ""],
      [400, "?x=1"],
      [500, "", {}, failing],
    ],
    "/api/result": [
      [200, ""],
      [400, "?x=1"],
      [404, "", {}, before],
      [500, "", {}, failing],
    ],
    "/api/summary": [
      [200, ""],
      [400, "?x=1"],
      [404, "", {}, before],
      [500, "", {}, failing],
    ],
    "/api/pairs": [
      [200, "?id=pair-7&end=3"],
      [400, "?method=7"],
      [404, "", {}, before],
      [500, "", {}, failing],
    ],
    "/api/pair": [
      [200, "?id=pair-7"],
      [400, ""],
      [404, "?id=nobody"],
      [404, "?id=a", {}, before],
      [500, "?id=a", {}, failing],
    ],
    "/api/tokens": [
      [200, "?id=pair-7"],
      [400, ""],
      [404, "?id=nobody"],
      [404, "?id=a", {}, before],
      [500, "?id=a", {}, failing],
    ],
    "/api/part": [
      ...PARTS.map(
        ({ name }) => [disk.parts[name] !== undefined ? 200 : 404, `?name=${name}`] as const,
      ),
      [400, ""],
      [404, "?name=audit", {}, before],
      [500, "?name=audit", {}, failing],
    ],
    "/api/review": [
      [200, ""],
      [400, "?x=1"],
      [404, "", {}, before],
      [500, "", {}, failing],
    ],
    "/api/queue": [
      [200, ""],
      [400, "?k=0"],
      [404, "?name=none"],
      [404, "", {}, before],
      [500, "", {}, failing],
    ],
    "/api/decision": [
      [200, "", post(one)],
      [400, "", post("{")],
      [400, "", post('{"id":"nobody","decision":"keep"}')],
      [404, "", post(one), before],
      [415, "", post(one, "text/plain")],
      [500, "", post(one), failing],
    ],
  };
  expect(Object.keys(asked)).toEqual(Object.keys(document.paths));
  for (const [path, questions] of Object.entries(asked)) {
    const [method, { responses }] = Object.entries(document.paths[path]!)[0]!;
    const way = method === "post" ? post(one) : {};
    const all = [
      ...questions,
      [403, "", { ...way, headers: { ...way.headers, ...other.headers } }] as const,
      [405, "", { method: "DELETE" }] as const,
    ];
    for (const [status, words, how = {}, of = server] of all) {
      const found = await send(`${path}${words}`, how, of);
      expect({ path, words, status: found.status, text: found.text.slice(0, 200) }).toMatchObject({
        status,
      });
      const { schema } = responses[status]!.content["application/json"];
      const value: unknown = JSON.parse(found.text);
      expect(schemaOf(schema, document).safeParse(value).error).toBeUndefined();
      expect(status === 200 || typeof (value as { error?: unknown }).error === "string").toBe(true);
    }
    // Each that is documented was answered, but for a run without progress, of which there is none.
    const statuses = new Set(all.map(([status]) => String(status)));
    const documented = Object.keys(responses).filter(
      (each) => !(path === "/api/progress" && each === "404"),
    );
    expect({ path, statuses: [...statuses].toSorted() }).toEqual({
      path,
      statuses: documented.toSorted(),
    });
  }
  await send("/api/decision", post(JSON.stringify({ id: "pair-7", decision: null, note: "" })));
  for (const each of [before, failing, waiting, broken]) await each[Symbol.asyncDispose]();
});
