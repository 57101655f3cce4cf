/**
 * @file The report of a large run: how big its folder is, how soon each page paints, how smoothly the table scrolls.
 *
 *   npm run build && npx tsx bench/report-large.ts RUN OUT [PAIRS] [--made] [--server]
 *
 * RUN is a finished run, culprit-out/demo-distractor say. A copy of it in OUT gets PAIRS (378339) synthetic pairs and their ranking, and
 * a report. Pairs ranked high have about 3 kB of text, as pairs of real mixes do, the others 0.3 kB, so that writing them does not
 * take the most of the time. --made takes the run that is in OUT. Yardsticks in the same browser: an empty page and its frames, and plain lines of text that are scrolled
 * as the table is. Then the same of the server: memory of its process at most, from its start over the making of its database to the
 * last question. --server measures that alone.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

import type { Page } from "playwright-core";

import type { PairScores } from "../src/attribution/method.ts";
import { openPairs } from "../src/pairs/open-pairs.ts";
import { RANK_REPORT, reportRankings } from "../src/ranking/ranking-report.ts";
import { writeRankings } from "../src/ranking/write-ranking.ts";
import { makeReport } from "../src/report/make-report.ts";
import { RUN, type RunManifest } from "../src/runs/run-manifest.ts";
import { createRng, type Rng } from "../src/util/rng.ts";
import { openBrowser } from "../test/support/browser.ts";

const given = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const [from = "", out = "", count = "378339"] = given;
const PAIRS = Number(count);
const WORDS =
  "the of and a to in is it you that for on with as are this be at or have from one word but what some we can out other were all there when up use your how said an each she which do their time if will way about many then them write would like so these her long make thing see him two has look more day could go come did number sound no most people my over know water than call first who may down side been now find".split(
    " ",
  );
const SOURCES = Array.from({ length: 24 }, (_, i) => `source-${i + 1}`);

const say = (line: string): void => void process.stdout.write(`${line}\n`);

function text(rng: Rng, characters: number): string {
  let made = "";
  while (made.length < characters) made += `${WORDS[rng.integer(WORDS.length)]!} `;
  return made.trim();
}

/** Scores of most pairs around 0, of one in 200 far above. */
function drawScores(rng: Rng): Float32Array {
  return Float32Array.from({ length: PAIRS }, () => {
    const bell = (rng.uniform() + rng.uniform() + rng.uniform() + rng.uniform() - 2) / 4;
    return rng.uniform() < 0.005 ? 0.6 + bell : bell;
  });
}

async function writePairs(path: string, scores: Float32Array, rng: Rng): Promise<string[]> {
  const file = createWriteStream(path);
  const sources: string[] = [];
  for (let i = 0; i < PAIRS; i++) {
    const size = scores[i]! > 0.4 ? 1_200 : 100;
    const source = SOURCES[rng.integer(SOURCES.length)]!;
    sources.push(source);
    const pair = {
      id: `pair-${i}`,
      source,
      prompt: text(rng, size / 2),
      chosen: `${text(rng, size)} yes`,
      rejected: `${text(rng, size)} no`,
    };
    if (!file.write(`${JSON.stringify(pair)}\n`)) {
      await once(file, "drain");
    }
  }
  file.end();
  await finished(file);
  return sources;
}

/** The copy of the run, with other pairs and their ranking. */
async function makeLargeRun(): Promise<string> {
  const run = join(out, "run");
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  await cp(from, run, { recursive: true });
  const rng = createRng(1);
  const scores = drawScores(rng);
  const pairsPath = join(out, "pairs.jsonl");
  const sources = await writePairs(pairsPath, scores, rng);
  const pairs = await openPairs([pairsPath]);
  const manifest = await RUN.read(join(run, "run.json"));
  const changed = {
    ...manifest,
    experimentFile: join(out, "experiment.yaml"),
    experiment: { ...manifest.experiment, pairs: { files: ["pairs.jsonl"] } },
    inputs: { ...manifest.inputs, pairs: pairs.contentHash },
  } satisfies RunManifest;
  await RUN.write(join(run, "run.json"), changed);
  const stage = manifest.stages.find(({ kind }) => kind === "rank")!; // of a finished run
  const folder = join(run, stage.directory!);
  const report = await RANK_REPORT.read(join(folder, RANK_REPORT.name));
  const { method, layer } = report.rankings.find((each) => each.layer === report.layer)!; // as culprit rank writes it
  const ids = Array.from(scores, (_, i) => `pair-${i}`);
  const rows = {
    ids,
    rows: Int32Array.from(ids.keys()),
    lengths: new Int32Array(3 * PAIRS).fill(1),
    columns: { source: sources },
  };
  const ranking = { method, layer, scores, ids, cost: report.cost } as unknown as PairScores; // without a null
  await writeRankings(join(folder, "ranking.parquet"), rows, [ranking], pairs.contentHash);
  await RANK_REPORT.write(join(folder, RANK_REPORT.name), {
    ...report,
    rankings: reportRankings(rows, [ranking]),
  });
  return run;
}

async function folderBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((each) => each.isFile());
  const sizes = await Promise.all(
    files.map(async (each) => (await stat(join(each.parentPath, each.name))).size),
  );
  return sizes.reduce((sum, each) => sum + each, 0);
}

/** Milliseconds from the start of loading to the first contentful paint, the median of three, and to the heading of the page. */
async function paint(page: Page, url: string): Promise<{ paint: number; heading: number }> {
  const paints: number[] = [];
  const headings: number[] = [];
  for (let i = 0; i < 3; i++) {
    await page.goto("about:blank");
    const start = performance.now();
    await page.goto(url);
    await page.waitForSelector("h1");
    headings.push(performance.now() - start);
    paints.push(
      Number(
        await page.evaluate(
          `new Promise((done) => { const look = () => { const found = performance.getEntriesByName("first-contentful-paint")[0]; found ? done(found.startTime) : setTimeout(look, 20); }; look(); })`,
        ),
      ),
    );
  }
  const middle = (values: number[]): number => values.toSorted((a, b) => a - b)[1]!;
  return { paint: middle(paints), heading: middle(headings) };
}

/** Milliseconds between frames while `each` is run in every one, and frames in which the box had no row at its middle. */
async function frames(page: Page, each: string): Promise<{ times: number[]; uncovered: number }> {
  return (await page.evaluate(`new Promise((done) => {
    const times = []; let last = performance.now(); let uncovered = 0; let n = 0;
    const box = document.querySelector(".grid");
    const step = (now) => {
      times.push(now - last); last = now;
      ${each}
      if (box) {
        const r = box.getBoundingClientRect();
        const at = document.elementFromPoint(r.left + 40, Math.min(r.top + r.height / 2, innerHeight - 5));
        if (!at || !at.closest(".row")) uncovered++;
      }
      if (++n < 400) requestAnimationFrame(step); else done({ times: times.slice(1), uncovered });
    };
    requestAnimationFrame(step);
  })`)) as { times: number[]; uncovered: number }; // as the script makes it
}

/** Also the time that the page's main thread was at work for a frame: on a machine with other work the frames come late, this does not grow. */
async function describeFrames(page: Page, each: string): Promise<string> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const worked = async (): Promise<number> => {
    const { metrics } = await session.send("Performance.getMetrics");
    return 1000 * metrics.find(({ name }) => name === "TaskDuration")!.value; // every Chromium has it
  };
  const before = await worked();
  const { times, uncovered } = await frames(page, each);
  const work = ((await worked()) - before) / times.length;
  const sorted = times.toSorted((a, b) => a - b);
  const at = (q: number): string => sorted[Math.floor(q * (sorted.length - 1))]!.toFixed(1);
  const smooth = times.filter((ms) => ms < 20).length / times.length;
  return `median ${at(0.5)} ms, p95 ${at(0.95)} ms, ${(100 * smooth).toFixed(1)}% under 20 ms, ${uncovered} uncovered, ${work.toFixed(1)} ms of the main thread each`;
}

const MAIN = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));

/** The most memory that a process has had, in MiB. */
async function mostMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)![1]) / 1024;
}

/** The built command at work, and the address that it tells. */
async function startServer(run: string): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [MAIN, "report", run, "--serve"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let told = "";
  return new Promise((resolve, reject) => {
    child.stderr.setEncoding("utf8").on("data", (part: string) => {
      told += part;
      const [url] = /http:\/\/127\.0\.0\.1:\d+\//.exec(told) ?? [];
      if (url !== undefined) resolve({ child, url });
    });
    child.on("close", () => reject(new Error(`the server has ended: ${told}`)));
  });
}

/** Milliseconds that an answer takes, the median and the most of several. */
async function ask(url: string, paths: readonly string[]): Promise<string> {
  const times: number[] = [];
  for (const path of paths) {
    const start = performance.now();
    const answer = await fetch(`${url}api/${path}`);
    await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    times.push(performance.now() - start);
  }
  const sorted = times.toSorted((a, b) => a - b);
  return `median ${sorted[sorted.length >> 1]!.toFixed(0)} ms, at most ${sorted.at(-1)!.toFixed(0)} ms`;
}

async function measureServer(run: string): Promise<void> {
  const start = performance.now();
  const since = (): string => `${((performance.now() - start) / 1000).toFixed(1)} s`;
  const { child, url } = await startServer(run);
  try {
    say(`server: its address after ${since()}`);
    say(`server, the overview: ${await ask(url, ["part?name=overview"])}`);
    await ask(url, ["pairs"]);
    say(
      `server: every pair in its database after ${since()}, ${(await mostMemory(child.pid!)).toFixed(0)} MiB at most`,
    );
    const starts = Array.from({ length: 30 }, (_, i) => Math.floor((i * (PAIRS - 100)) / 29));
    const pages = (words: string): string[] =>
      starts.map((at) => `pairs?${words}start=${at}&end=${at + 100}`);
    say(`server, pages by rank: ${await ask(url, pages(""))}`);
    say(`server, pages by source: ${await ask(url, pages("sort=source&"))}`);
    say(
      `server, first pages of searches: ${await ask(
        url,
        WORDS.slice(0, 20).map((word) => `pairs?search=${word}x+${word}`),
      )}`,
    );
    const ids = starts.map((at) => `pair-${at}`);
    say(
      `server, one pair: ${await ask(
        url,
        ids.map((id) => `pair?id=${id}`),
      )}`,
    );
    say(`server, the review: ${await ask(url, ["review", "queue?k=1000", "queue?k=10000&at=50"])}`);
    await using browser = await openBrowser();
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    for (const panel of ["overview", "pairs", `pair/${ids[3]!}`, "review"]) {
      const found = await paint(page, `${url}#/${panel}`);
      say(
        `server, ${panel}: first paint ${found.paint.toFixed(0)} ms, heading ${found.heading.toFixed(0)} ms`,
      );
    }
    await page.goto("about:blank");
    await page.goto(`${url}#/pairs`);
    await page.waitForSelector(".grid .body .row");
    say(`server, table, 120 px a frame: ${await describeFrames(page, "box.scrollTop += 120;")}`);
    say(`server: ${(await mostMemory(child.pid!)).toFixed(0)} MiB at most, all questions included`);
  } finally {
    child.kill("SIGTERM");
    await once(child, "close");
  }
}

const isMade = process.argv.includes("--made");
const run = isMade ? join(out, "run") : await makeLargeRun();
await measureServer(run);
if (process.argv.includes("--server")) process.exit();

const startMs = performance.now();
const folder = join(out, "report");
const { pairs } = await makeReport(run, { out: folder, isForced: true });
say(
  `report: ${((performance.now() - startMs) / 1000).toFixed(1)} s, ${pairs.listed} of ${pairs.total} pairs listed, ${pairs.texts} with text`,
);
say(
  `memory: ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB at most, writing the run included`,
);
say(`folder: ${((await folderBytes(folder)) / 1e6).toFixed(2)} MB`);
const code = await Promise.all(["page.js", "page.css"].map((name) => readFile(join(folder, name))));
say(
  `page code: ${(code.reduce((sum, each) => sum + gzipSync(each).length, 0) / 1000).toFixed(1)} kB gzipped`,
);

const empty = join(out, "empty.html");
await writeFile(empty, "<!doctype html><title>e</title><h1>Empty</h1>");
await using browser = await openBrowser();
const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
const yardstick = await paint(page, pathToFileURL(empty).href);
say(
  `empty page: first paint ${yardstick.paint.toFixed(0)} ms, heading ${yardstick.heading.toFixed(0)} ms`,
);
say(`empty page, idle frames: ${await describeFrames(page, "")}`);
const plain = join(out, "plain.html");
const lines = Array.from(
  { length: 5_000 },
  (_, i) => `<div class="row">${i} ${text(createRng(i), 90)}</div>`,
);
await writeFile(
  plain,
  `<!doctype html><style>.grid{height:600px;overflow:auto}.row{height:36px}</style><div class="grid">${lines.join("")}</div>`,
);
await page.goto(pathToFileURL(plain).href);
say(`plain lines, 120 px a frame: ${await describeFrames(page, "box.scrollTop += 120;")}`);
const url = pathToFileURL(join(folder, "index.html")).href;
await page.goto(`${url}#/overview`);
const link = await page.waitForSelector('a[href^="#/pair/"]');
const first = (await link.getAttribute("href"))!.slice("#/pair/".length); // selected by it
for (const panel of [
  "overview",
  "behavior",
  "pairs",
  `pair/${first}`,
  "sources",
  "methods",
  "provenance",
]) {
  const found = await paint(page, `${url}#/${panel}`);
  say(`${panel}: first paint ${found.paint.toFixed(0)} ms, heading ${found.heading.toFixed(0)} ms`);
}
await page.goto("about:blank");
await page.goto(`${url}#/pairs`);
await page.waitForSelector(".grid .body .row");
say(`table, 120 px a frame: ${await describeFrames(page, "box.scrollTop += 120;")}`);
await page.evaluate(`document.querySelector(".grid").scrollTop = 0`);
say(`table, one page a frame: ${await describeFrames(page, "box.scrollTop += box.clientHeight;")}`);
