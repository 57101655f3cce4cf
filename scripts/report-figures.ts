/**
 * @file Takes the pictures of docs/report.md: `npx tsx scripts/report-figures.ts RUN`, RUN being the demo's folder
 * (culprit-out/demo-distractor) with its report. Needs Chromium.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import type { Page } from "playwright-core";

import { localHost } from "../src/engine/local-host.ts";
import { openRunSource } from "../src/report/serve/run-source.ts";
import { serveRun } from "../src/serve/serve-run.ts";
import { openBrowser } from "../test/support/browser.ts";

const [run = ""] = process.argv.slice(2);
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
const at = (heading: string) => (shown: Page) =>
  shown
    .locator(`h2:has-text("${heading}")`)
    .first()
    // The style sheet leaves room for the header.
    .evaluate((element: { scrollIntoView(how: object): void }) =>
      element.scrollIntoView({ block: "start" }),
    );
await show("overview");
await page.screenshot({ path: image("overview") });
await show("overview", at("How often it happens"));
await page.screenshot({ path: image("arms") });
await show("behavior?decision=dropped");
await page.click("details summary >> nth=0");
await at("Scenarios")(page);
await page.screenshot({ path: image("behavior") });
await show("pairs");
await page.screenshot({ path: image("pairs") });
await show("pairs", at("The scores against chance"));
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
  await at("What the decisions say")(shown);
});
await page.screenshot({ path: image("review-results") });
await show("progress");
await page.screenshot({ path: image("progress") });
await rm(aside, { recursive: true });
