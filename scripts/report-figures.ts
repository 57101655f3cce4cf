/**
 * @file Takes the pictures of docs/report.md: `npx tsx scripts/report-figures.ts RUN DISCOVERED`. RUN is the demo's folder
 * (culprit-out/demo-distractor) with its report; DISCOVERED the folder of a report of the same experiment with sections `discover: {}` and
 * `membership: { heldOut: … }`, made with the forecast of docs/how-to-forecast.md. Without the second its pictures stay. Needs Chromium.
 */
import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import type { Page } from "playwright-core";

import { NO_COST } from "../src/engine/cost.ts";
import { localHost } from "../src/engine/local-host.ts";
import { openRunSource } from "../src/report/serve/run-source.ts";
import { RUN } from "../src/runs/run-manifest.ts";
import { WORKING } from "../src/runs/stage-record.ts";
import { serveRun } from "../src/serve/serve-run.ts";
import { openBrowser } from "../test/support/browser.ts";

const [run = "", discovered] = process.argv.slice(2);
let url = pathToFileURL(join(run, "report", "index.html")).href;
const image = (name: string): string =>
  fileURLToPath(new URL(`../docs/images/report-${name}.png`, import.meta.url));

await using browser = await openBrowser();
const page = await browser.newPage({
  viewport: { width: 1100, height: 760 },
  colorScheme: "light",
});

async function show(address: string, then?: (page: Page) => Promise<unknown>): Promise<void> {
  await page.goto("about:blank");
  await page.goto(`${url}#/${address}`);
  await page.waitForSelector("h1");
  await then?.(page);
  await page.waitForTimeout(500); // charts are drawn when their width is known
}

/** Scrolls so that a heading is at the top, below the header. */
const scrollTo = (heading: string) => (shown: Page) =>
  shown
    .locator(`h2:has-text("${heading}")`)
    .first()
    // The style sheet leaves room for the header.
    .evaluate((element: { scrollIntoView(how: object): void }) =>
      element.scrollIntoView({ block: "start" }),
    );
await show("overview");
await page.screenshot({ path: image("overview") });
await show("overview", scrollTo("How often it happens"));
await page.screenshot({ path: image("arms") });
await show("behavior?decision=dropped");
await page.click("details summary >> nth=0");
await scrollTo("Scenarios")(page);
await page.screenshot({ path: image("behavior") });
await show("pairs");
await page.screenshot({ path: image("pairs") });
await show("pairs", scrollTo("The scores against chance"));
await page.screenshot({ path: image("null") });
await page.goto(`${url}#/overview`);
await page.click('a[href^="#/pair/"] >> nth=1');
await page.click('button:text-is("tokens")');
await page.waitForTimeout(300);
await page.screenshot({ path: image("pair") });
await show("sources");
await page.screenshot({ path: image("sources") });
await show("methods");
await page.screenshot({ path: image("methods") });
await show("provenance");
await page.screenshot({ path: image("provenance") });

if (discovered !== undefined) {
  url = pathToFileURL(join(discovered, "index.html")).href;
  await show("discovery");
  await page.screenshot({ path: image("discovery") });
  await show("discovery", scrollTo("Prompts against pairs"));
  await page.screenshot({ path: image("discovery-map") });
  // Charts that are higher than the page: whole.
  await page.setViewportSize({ width: 1100, height: 980 });
  await show("forecast");
  await page.screenshot({ path: image("forecast") });
  await page.setViewportSize({ width: 1100, height: 1160 });
  await show("forecast", scrollTo("By source"));
  await page.screenshot({ path: image("forecast-cells") });
  await page.setViewportSize({ width: 1100, height: 760 });
  await show("membership");
  await page.screenshot({ path: image("membership") });
}

// From the server, with decisions that are nobody's.
const aside = await mkdtemp(join(tmpdir(), "culprit-figures-"));
await using source = openRunSource(run, {
  host: localHost,
  decisions: join(aside, "decisions.jsonl"),
});
await using server = await serveRun(source);
({ url } = server);
await show("review?queue=top&k=20");
for (const [i, key] of "ddddsdadddfddadddddd".split("").entries()) {
  await page.waitForSelector(`main h2:has-text("${i + 1}. ")`);
  await page.waitForSelector(".side");
  await page.keyboard.press(key);
}
await page.waitForSelector('[role=note]:has-text("is reviewed")');
await show("review?queue=top&k=20&at=6", (shown) => shown.waitForSelector(".side"));
await page.screenshot({ path: image("review") });
await show("review?queue=top&k=20&at=6", async (shown) => {
  await shown.waitForSelector(".side");
  await scrollTo("What the decisions say")(shown);
});
await page.screenshot({ path: image("review-results") });

// The run as it stood in the middle: what was done, by links, and a stage at work.
const middle = join(aside, "run");
const manifest = await RUN.read(join(run, RUN.name));
const at = manifest.stages.findIndex(({ kind }) => kind === "retrain");
await mkdir(join(middle, "stages", "at-work"), { recursive: true });
for (const { directory } of manifest.stages.slice(0, at)) {
  await symlink(resolve(run, directory!), join(middle, directory!)); // done
}
await WORKING.write(join(middle, "stages", "at-work", WORKING.name), {
  pid: process.pid,
  host: hostname(),
  cost: { ...NO_COST, seconds: 21, tokens: 98_304 },
  updatedAt: new Date().toISOString(),
  unit: "steps",
  done: 118,
  total: 328,
  rate: 5.84,
});
const { finishedAt: _, ...begun } = manifest;
await RUN.write(join(middle, RUN.name), {
  ...begun,
  stages: manifest.stages.map(({ id, kind, name, ...done }, i) => ({
    id,
    kind,
    name,
    ...(i < at ? done : i === at ? { directory: "stages/at-work" } : {}),
  })),
});
await using atWork = openRunSource(middle);
await using working = await serveRun(atWork);
({ url } = working);
await show("progress");
await page.screenshot({ path: image("progress") });
await rm(aside, { recursive: true });
