/**
 * The page of a report in a real browser, opened from disk and from the server: every panel, light and dark, wide and narrow, by keyboard,
 * with hostile text.
 */
import { readFileSync } from "node:fs";
import { cp, mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { hostname } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

import type { Browser, BrowserContextOptions, Page, Route } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { readDecisions } from "../src/edit/decisions.ts";
import { NO_COST } from "../src/engine/cost.ts";
import { localHost } from "../src/engine/local-host.ts";
import type { Forecast } from "../src/forecast/forecast-file.ts";
import { makeReport } from "../src/report/make-report.ts";
import { openRunSource, type RunSource } from "../src/report/serve/run-source.ts";
import { RESULT } from "../src/runs/result.ts";
import { RUN } from "../src/runs/run-manifest.ts";
import { WORKING } from "../src/runs/stage-record.ts";
import { type ServedRun, serveRun } from "../src/serve/serve-run.ts";
import { CHROMIUM, NO_BROWSER, openBrowser } from "../test/support/browser.ts";
import { HOSTILE, makeReportRun } from "../test/support/report-run.ts";
import { makeScoredForecast } from "../test/support/scored-forecast.ts";
import { suiteFolder } from "../test/support/suite-folder.ts";
import { cutElements, untoldNumbers } from "./page-faults.ts";

vi.setConfig({ testTimeout: 400_000, hookTimeout: 400_000 });

const suite = suiteFolder();
const index = join(suite, "report", "index.html");
const single = join(suite, "report.html");
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** The panels by their addresses, the one of a pair among them. */
const PAGES = [
  "overview",
  "behavior",
  "pairs",
  "pair/pair-1",
  "sources",
  "methods",
  "discovery",
  "forecast",
  "membership",
  "provenance",
];

const KEY = "a-key-of-mine-56473829";

/** Instead of a file: from the server. */
const SERVER = "server";
/** Panels that only a server has, where nothing was decided yet. */
const SERVED = ["review?k=20&queue=top", "progress"];

/** Every panel by its address, and where it is opened from. */
const ALL = [
  ...PAGES.map((address) => [address, index] as const),
  ...[...PAGES, ...SERVED].map((address) => [address, SERVER] as const),
];
const fromWhere = (file: string): string => (file === SERVER ? "the server" : "disk");

const SIZES = { wide: { width: 1280, height: 900 }, narrow: { width: 390, height: 800 } };

it("is code of 200 kB at most, as it is sent", () => {
  const sizes = ["page.js", "page.css"].map((name) => {
    const file = new URL(`../dist/report-page/${name}`, import.meta.url);
    return gzipSync(readFileSync(file)).length;
  });
  expect(sizes.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(200_000);
});

describe.skipIf(CHROMIUM === undefined)(
  `the page of a report${CHROMIUM === undefined ? ` (${NO_BROWSER})` : ""}`,
  () => {
    let browser: Browser;
    let source: RunSource;
    let server: ServedRun;
    let forecast: Forecast;

    beforeAll(async () => {
      process.env["MY_SERVICE_KEY"] = KEY;
      const run = await makeReportRun(join(suite, "experiment"), KEY);
      const tokens = { count: 1000, host: localHost };
      forecast = await makeScoredForecast(run);
      await makeReport(run, { out: join(suite, "report"), tokens, forecast });
      await makeReport(run, { out: single, isSingleFile: true, tokens, forecast });
      source = openRunSource(run, { host: localHost, forecast });
      server = await serveRun(source);
      browser = await openBrowser();
    });

    afterAll(async () => {
      await browser?.close();
      await server?.[Symbol.asyncDispose]();
      await source?.[Symbol.asyncDispose]();
    });

    /**
     * Opens a page and fails for whatever the browser complains of, or would fetch from a network.
     *
     * @param routes Requests that the test answers itself. They are known before the page is there: a page that is open already may
     * send some past them for a while.
     */
    async function open(
      address: string,
      options: BrowserContextOptions = {},
      file = index,
      routes: readonly (readonly [string | RegExp, (route: Route) => Promise<void>])[] = [],
    ): Promise<{ readonly page: Page; readonly complaints: readonly string[] }> {
      const isServed = file === SERVER;
      const context = await browser.newContext({ viewport: SIZES.wide, ...options });
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on("console", (message) => complaints.push(message.text()));
      page.on("pageerror", (error) => complaints.push(error.message));
      page.on("dialog", (dialog) => complaints.push(`dialog ${dialog.message()}`));
      page.on("request", (request) => {
        const isOwn = isServed && request.url().startsWith(server.url);
        if (/^(https?|wss?):/.test(request.url()) && !isOwn) {
          complaints.push(`fetches ${request.url()}`);
        }
      });
      for (const [requests, answer] of routes) await page.route(requests, answer);
      await page.goto(`${isServed ? server.url : pathToFileURL(file).href}#/${address}`);
      await page.waitForSelector("h1");
      await page.waitForFunction(() => !document.body.innerText.includes("Loading …"));
      return { page, complaints };
    }

    /** The text that two pages show alike, once charts are drawn and texts have come. */
    async function sameText(one: Page, other: Page, part: "main" | "body"): Promise<string> {
      const text = (of: Page): Promise<string> => of.locator(part).innerText();
      for (let tries = 0; tries < 50 && (await text(one)) !== (await text(other)); tries++) {
        await one.waitForTimeout(100);
      }
      const shown = await text(one);
      expect(shown).toBe(await text(other));
      return shown;
    }

    /** What the buttons of a chart of a page save. */
    async function saveChart(
      address: string,
      chart: number,
    ): Promise<{ readonly csv: string; readonly svg: string; readonly png: Buffer }> {
      const { page, complaints } = await open(address);
      const save = async (name: string): Promise<Buffer> => {
        const [download] = await Promise.all([
          page.waitForEvent("download"),
          page.click(`.chart >> nth=${chart} >> button:text-is("${name}")`),
        ]);
        return readFile(await download.path());
      };
      // Charts are drawn when their width is known; before that there is no picture to save.
      await page.waitForFunction(() =>
        [...document.querySelectorAll(".plot")].every((plot) => plot.querySelector("svg")),
      );
      const csv = (await save("CSV")).toString("utf8");
      const svg = (await save("SVG")).toString("utf8");
      const png = await save("PNG");
      expect(complaints).toEqual([]);
      await close(page);
      return { csv, svg, png };
    }

    /** Closes the page with its context. */
    const close = (page: Page): Promise<void> => page.context().close();

    for (const [address, file] of ALL) {
      for (const theme of ["light", "dark"] as const) {
        it(`${address} from ${fromWhere(file)}, ${theme}: nothing to complain of, for the browser or for axe`, async () => {
          const { page, complaints } = await open(address, { colorScheme: theme }, file);
          expect(await violationsOf(page)).toEqual([]);
          expect(complaints).toEqual([]);
          await close(page);
        });
      }

      for (const size of ["wide", "narrow"] as const) {
        it(`${address} from ${fromWhere(file)}, ${size}: does not scroll sideways, nothing is cut, no chart is empty, every number tells its n`, async () => {
          const { page, complaints } = await open(address, { viewport: SIZES[size] }, file);
          const faults = await page.evaluate(() => {
            const found: string[] = [];
            const root = document.documentElement;
            if (root.scrollWidth > root.clientWidth) found.push(`${root.scrollWidth} px wide`);
            for (const chart of document.querySelectorAll("figure.chart")) {
              const title = chart.querySelector("strong")?.textContent ?? "";
              if (chart.querySelector(".heat") !== null) continue; // a canvas; another test looks at it
              const svg = chart.querySelector("svg");
              if (svg === null || svg.querySelectorAll(".point").length === 0) {
                found.push(`${title}: empty`);
                continue;
              }
              const frame = svg.getBoundingClientRect();
              for (const text of svg.querySelectorAll("text")) {
                const box = text.getBoundingClientRect();
                const isOut =
                  box.left < frame.left - 1 ||
                  box.right > frame.right + 1 ||
                  box.top < frame.top - 1 ||
                  box.bottom > frame.bottom + 1;
                if (isOut) found.push(`${title}: "${text.textContent}" is clipped`);
              }
            }
            return found;
          });
          expect(faults).toEqual([]);
          expect(await cutElements(page)).toEqual([]);
          expect(await untoldNumbers(page)).toEqual([]);
          expect(complaints).toEqual([]);
          await close(page);
        });
      }
    }

    it.each([index, SERVER])(
      "shows hostile text as text, and runs none of it: %s",
      async (file) => {
        const { page, complaints } = await open("pairs?sort=id", {}, file);
        for (const [i, text] of HOSTILE.slice(0, 4).entries()) {
          await page.evaluate((to) => location.assign(to), `#/pair/pair-${i}`);
          await page.waitForSelector(`h1:has-text("pair-${i}")`);
          await page.waitForSelector(".side");
          const shown = await page.evaluate(() => document.body.innerText);
          expect(shown).toContain(text.split("\u2028")[0]!.trim());
        }
        expect(await page.evaluate(() => (window as { pwned?: number }).pwned)).toBeUndefined();
        expect(await page.evaluate(() => document.images.length)).toBe(0);
        expect(complaints).toEqual([]);
        await close(page);
      },
    );

    it.each([index, single])(
      "has a policy that holds from disk too: no inline script, no network, no frame, no form: %s",
      async (file) => {
        const { page } = await open("overview", {}, file);
        const refused = await page.evaluate(async () => {
          const found = new Set<string>();
          document.addEventListener("securitypolicyviolation", ({ effectiveDirective }) =>
            found.add(effectiveDirective),
          );
          const add = (name: string, set: object): void => {
            document.body.append(Object.assign(document.createElement(name), set));
          };
          add("script", { textContent: "window.pwned = 1" });
          add("script", { src: "http://127.0.0.1:9/x.js" });
          add("img", { src: "http://127.0.0.1:9/x.png" });
          add("iframe", { src: "http://127.0.0.1:9/" });
          await fetch("http://127.0.0.1:9/").catch(() => {});
          const form = Object.assign(document.createElement("form"), {
            action: "http://127.0.0.1:9/",
          });
          document.body.append(form);
          form.submit();
          // Each is told when the browser comes to it, which on a busy machine takes its time.
          for (let i = 0; i < 50 && found.size < 5; i++) {
            await new Promise((done) => setTimeout(done, 100));
          }
          return [...found].toSorted();
        });
        expect(refused).toEqual([
          "connect-src",
          "form-action",
          "frame-src",
          "img-src",
          "script-src-elem",
        ]);
        expect(await page.evaluate(() => (window as { pwned?: number }).pwned)).toBeUndefined();
        await close(page);
      },
    );

    it("is worked by the keyboard alone: menu, search, table, pair, chart, glossary, keys", async () => {
      const { page, complaints } = await open("overview");
      const press = async (...keys: readonly string[]): Promise<void> => {
        for (const key of keys) await page.keyboard.press(key);
      };
      await press("3");
      await page.waitForSelector(".grid");
      await press("/");
      await page.keyboard.type("east");
      await page.waitForFunction(() => location.hash.includes("q=east"));
      await page.waitForFunction(() => document.querySelectorAll(".grid .body .row").length > 0);
      const first = await page.textContent(".grid .body .row >> nth=0");
      expect(first).toContain("east");
      await page.focus(".grid");
      await press("ArrowDown", "Enter");
      await page.waitForFunction(() => location.hash.startsWith("#/pair/"));
      const before = page.url();
      await press("j");
      await page.waitForFunction((url) => location.href !== url, before);
      expect(page.url()).toContain("q=east");
      await press("Escape");
      await page.waitForFunction(() => location.hash.startsWith("#/pairs?"));
      await press("1");
      await page.waitForSelector("svg .point");
      await page.focus("svg .point >> nth=0");
      expect(await page.textContent(".told")).toMatch(/^before: .* 95% .* n \d+ judged rollouts$/);
      await press("ArrowDown");
      expect(await page.textContent(".told")).toMatch(/^baseline: /);
      await page.focus("button.term >> nth=0");
      await press("Enter");
      expect(await page.textContent("dialog[open] p")).not.toContain("does not have this word");
      await press("Escape", "?");
      expect(await page.textContent("dialog[open] h2")).toBe("Keys");
      expect(complaints).toEqual([]);
      await close(page);
    });

    it("keeps the focus on a point of a chart while the server is asked, also where it says something new", async () => {
      let asked = 0;
      const answer = async (route: Route): Promise<void> => {
        const said = (await (await route.fetch()).json()) as object;
        // As of a run at work, which is asked every second and says another time at each.
        await route.fulfill({ json: { ...said, state: "running", asked: ++asked } });
      };
      const { page, complaints } = await open("overview", {}, SERVER, [
        ["**/api/progress*", answer],
      ]);
      // The first answer says which version there is, by which all is asked once more.
      await vi.waitFor(() => expect(asked).toBeGreaterThan(1), { timeout: 30_000 });
      const point = page.locator(".chart .point").nth(1);
      await point.waitFor();
      const node = await point.elementHandle();
      await point.focus();
      const told = await page.textContent(".told");
      await vi.waitFor(() => expect(asked).toBeGreaterThan(5), { timeout: 30_000 });
      expect(await node.evaluate((each) => each === document.activeElement)).toBe(true);
      // What is drawn again, as with another width, keeps it by its place.
      await page.setViewportSize({ ...SIZES.wide, width: 900 });
      await page.waitForFunction((old) => !old.isConnected, node);
      expect(await point.evaluate((each) => each === document.activeElement)).toBe(true);
      expect(await page.textContent(".told")).toBe(told);
      expect(complaints).toEqual([]);
      await close(page);
    });

    it.each([index, SERVER])(
      "goes from a cluster to its pairs, and through the heat map by keyboard: %s",
      async (file) => {
        const { page, complaints } = await open("discovery", {}, file);
        const told = (): Promise<string | null> => page.textContent(".heat + p");
        const first = await told();
        expect(first).toMatch(/^Prompt probe-\d+\/base.* \(cluster \d+\), pair .*: cosine −?0\.\d/);
        await page.focus(".heat");
        for (const key of ["ArrowRight", "Shift+ArrowDown", " "]) await page.keyboard.press(key);
        expect(await told()).not.toBe(first);
        const [, cluster] = /\(cluster (\d+)\), pair/.exec((await told())!)!;
        await page.waitForSelector(`main h2:has-text("What cluster ${cluster} is made of")`);
        expect(page.url()).toContain(`cluster=${cluster}`);
        const isDrawn = await page.$eval(".heat canvas", (canvas) => {
          const { width, height } = canvas as HTMLCanvasElement;
          const { data } = (canvas as HTMLCanvasElement)
            .getContext("2d")!
            .getImageData(0, 0, width, height);
          return new Set(new Uint32Array(data.buffer)).size > 100;
        });
        expect(isDrawn).toBe(true);
        await page.focus('svg .point[tabindex="0"] >> nth=-1');
        const pair = /^(.+?): /.exec((await page.textContent(".told"))!)![1]!;
        const link = page.locator("a", { hasText: /^The \d+ pairs that lie closest/ });
        const wanted = /\d+/.exec((await link.textContent())!)![0];
        await link.click();
        await page.waitForSelector(`main p[role=status]:has-text("${wanted} of ")`);
        await page.goBack();
        await page.focus('svg .point[tabindex="0"] >> nth=-1');
        await page.keyboard.press("Enter");
        await page.waitForSelector(`h1:has-text("${pair}")`);
        expect(complaints).toEqual([]);
        await close(page);
      },
    );

    it("shows every held-out behaviour of a forecast, misses like hits, by the forecast that is chosen", async () => {
      const { page, complaints } = await open("forecast");
      const { behaviors, forecasts } = forecast.score!;
      const chart = page.locator(".chart").first();
      await chart.locator(".point").first().waitFor(); // charts are drawn after the page stands
      expect(await chart.locator(".point").count()).toBe(behaviors.length);
      const told = await chart
        .locator(".point")
        .evaluateAll((all) => all.map((each) => each.getAttribute("aria-label")!));
      const table = page.getByRole("table", { name: /^Every behaviour, forecast by combination/ });
      const signs = await table.locator("tbody tr td:last-child").allInnerTexts();
      for (const [i, { name, hit, moved }] of behaviors.entries()) {
        const verdict = `${hit === true ? "hit" : "MISS"}${moved ? "" : ", 0 within the interval"}`;
        expect(told[i]!.startsWith(`${name}: predicted `)).toBe(true);
        expect([told[i]!.endsWith(`: ${verdict}`), signs[i]]).toEqual([true, verdict]);
      }
      const misses = behaviors.filter(({ hit }) => hit === false).length;
      expect([misses > 0, misses < behaviors.length]).toEqual([true, true]);
      // Drawn with hits and misses of one size, and neither hidden.
      const shown = await chart
        .locator(".point")
        .evaluateAll((all) =>
          all.map((each) => [each.getAttribute("stroke"), each.getBoundingClientRect().width > 8]),
        );
      expect(shown.every(([, isLarge]) => isLarge)).toBe(true);
      expect(new Set(shown.map(([stroke]) => stroke)).size).toBe(2);
      await page.click('button:text-is("no-change")');
      const baseline = forecasts.find(({ name }) => name === "no-change")!;
      await page.waitForSelector(
        `main p[role=status]:has-text("By no-change: 0 hits, ${baseline.signs.of} misses")`,
      );
      await page.reload();
      await page.waitForSelector('button[aria-pressed=true]:text-is("no-change")');
      expect(complaints).toEqual([]);
      await close(page);
    });

    it("shades the tokens of a pair, and says what each adds without a pointer too", async () => {
      const { page, complaints } = await open("pair/pair-1");
      await page.click('button:text-is("tokens")');
      await page.evaluate(AXE);
      const { violations } = await page.evaluate(() => {
        const { axe } = window as unknown as { axe: { run(options: object): Promise<AxeResult> } };
        return axe.run({ preload: false });
      });
      expect(violations.filter(({ impact }) => impact === "serious")).toEqual([]);
      expect(await page.locator(".token").count()).toBeGreaterThan(10);
      await page.hover(".token >> nth=0");
      expect(await page.textContent(".side >> nth=0 >> li >> nth=0")).toMatch(
        / (adds|takes) 0\.\d+$/,
      );
      // The share of any token, by the arrows.
      const told = (): Promise<string | null> =>
        page.textContent('main [role=status]:has-text("token ")');
      const text = page.locator(".side .turn").last();
      await text.focus();
      expect(await told()).toMatch(
        /^.*: −?\d.*; token 1 of \d+, rejected; n 1, of this pair alone: no interval$/s,
      );
      await page.keyboard.press("ArrowRight");
      expect(await told()).toMatch(/; token 2 of \d+, rejected; n 1/);
      await page.keyboard.press("End");
      const [, at, of] = /; token (\d+) of (\d+), rejected; n 1/.exec((await told())!)!;
      expect(at).toBe(of);
      expect(complaints).toEqual([]);
      await close(page);
    });

    it("says of a pair below the top why its tokens are not shaded, and how they are", async () => {
      const few = join(suite, "few");
      const tokens = { count: 1, host: localHost };
      await makeReport(join(suite, "experiment", "run"), { out: few, tokens });
      const { page } = await open("pairs", {}, join(few, "index.html"));
      await page.focus(".grid");
      for (const key of ["End", "Enter"]) await page.keyboard.press(key);
      await page.click('button:text-is("tokens")');
      const note = page.locator('main [role=note]:has-text("Tokens are not shaded")');
      expect(await note.innerText()).toMatch(
        /those of the 1 pairs ranked highest \(--tokens\); npx culprit report .*run --serve shades any pair/,
      );
      await close(page);
    });

    it.each([index, SERVER])("finds exact repeats by their mark: %s", async (file) => {
      const { page } = await open("pairs?flag=repeated&sort=id", {}, file);
      await page.waitForSelector('main p[role=status]:has-text("2 of ")');
      await page.waitForSelector(".grid .body .row");
      const rows = await page.$$eval(".grid .body .row", (all) =>
        all.map((each) => each.querySelector(".mark.repeated")?.textContent),
      );
      expect(rows).toEqual(["repeated", "repeated"]);
      // What each mark means is one click away.
      for (const mark of await page.locator("main .mark button.term").all()) {
        await mark.click();
        expect(await page.textContent("dialog[open] p")).toMatch(
          /^(of a pair, that|sides whose|known to cause|‖v_d‖ below)/,
        );
        await page.keyboard.press("Escape");
      }
      expect(await page.locator("main .mark button.term").count()).toBe(6);
      // And of a repeat which pair it repeats.
      for (const [one, other] of [
        ["pair-40", "pair-41"],
        ["pair-41", "pair-40"],
      ]) {
        await page.evaluate((to) => location.assign(to), `#/pair/${one}`);
        await page.waitForSelector(`h1:has-text("${one}")`);
        const said = page.locator('dt:text-is("Says the same as") + dd a');
        expect(await said.innerText()).toBe(other);
      }
      await close(page);
    });

    it.each(["pairs?method=99", "pair/pair-1?method=99"])(
      "takes the first method where the address names one that is not there: %s",
      async (address) => {
        const { page } = await open(address, {}, SERVER);
        await page.waitForSelector(
          address.startsWith("pairs") ? ".grid .body .row" : "main h1:has-text('pair-1')",
        );
        expect(await page.$$("main [role=alert]")).toEqual([]);
        await close(page);
      },
    );

    it("keeps its state in the address: filters after a reload, and a link to one pair", async () => {
      const { page } = await open("pairs?source=south&min=0&sort=score&order=falling&method=2");
      const state = (): Promise<string[]> =>
        page.$$eval(".filters select", (all) =>
          all.map((each) => (each as HTMLSelectElement).value),
        );
      expect(await state()).toEqual(["2", "south", ""]);
      const rows = await page.$$eval(".grid .body .row", (all) =>
        all.map((each) => each.textContent),
      );
      expect(rows.length).toBeGreaterThan(0);
      expect(rows.filter((row) => !row.includes("south") || row.includes("−"))).toEqual([]);
      await page.reload();
      await page.waitForSelector(".grid");
      expect(await state()).toEqual(["2", "south", ""]);
      await close(page);
    });

    it("keeps in the address what is chosen, opened and shown as a table, and goes back and forward through it", async () => {
      const { page, complaints } = await open("sources");
      const pressed = (label: string): Promise<string[]> =>
        page
          .getByRole("group", { name: label })
          .first()
          .locator("[aria-pressed=true]")
          .allInnerTexts();
      const first = await pressed("Size of the top");
      expect(first).toEqual(["top 12, edited"]); // what filter took, in this experiment
      await page
        .getByRole("group", { name: "Size of the top" })
        .first()
        .locator("button[aria-pressed=false]")
        .last()
        .click();
      const chosen = await pressed("Size of the top");
      expect(chosen).not.toEqual(first);
      await page.click('.chart >> nth=0 >> button:text-is("Table")');
      const isTable = (): Promise<boolean> => page.locator(".chart >> nth=0 >> table").isVisible();
      expect(await isTable()).toBe(true);
      await page.reload();
      await page.waitForSelector(".chart table");
      expect(await pressed("Size of the top")).toEqual(chosen);
      await page.goBack();
      await page.waitForSelector(".chart table", { state: "detached" });
      await page.goBack();
      expect(await pressed("Size of the top")).toEqual(first);
      await page.goForward();
      expect(await pressed("Size of the top")).toEqual(chosen);

      const go = (hash: string): Promise<void> => page.evaluate((to) => location.assign(to), hash);
      await go("#/behavior");
      const fold = page.locator("details").nth(1);
      await fold.locator("summary").focus();
      await page.keyboard.press("Enter");
      await page.waitForFunction(() => location.hash.includes("open="));
      await page.reload();
      await page.waitForSelector("details[open]");
      expect(await fold.getAttribute("open")).toBe("");
      expect(await page.locator("details[open]").count()).toBe(1);
      await page.goBack();
      await page.waitForSelector("details[open]", { state: "detached" });

      await go("#/pair/pair-1");
      await page.click('button:text-is("tokens")');
      await page.waitForSelector(".token");
      await page.keyboard.press("j");
      await page.waitForFunction(() => !location.hash.startsWith("#/pair/pair-1?"));
      await page.waitForSelector('button[aria-pressed=true]:text-is("tokens")');
      await page.goBack();
      await page.goBack();
      await page.waitForSelector('button[aria-pressed=true]:text-is("differences")');
      expect(complaints).toEqual([]);
      await close(page);
    });

    it("sorts by score the highest first, tells of a row by keyboard, and comes back to it", async () => {
      const { page } = await open("pairs?sort=id");
      await page.click('.grid .head button:text-is("Score")');
      await page.waitForFunction(() => location.hash.includes("order=falling"));
      await page.focus(".grid");
      for (let i = 0; i < 7; i++) await page.keyboard.press("ArrowDown");
      const told = await page.textContent(".grid + p");
      expect(told).toMatch(
        /^Row 8: pair .*, score .*, above \d+\.\d\d% of the scored pairs, .*; n 1, of this pair alone: no interval$/s,
      );
      // The row is in the address, so that a reload and a link come back to it.
      await page.waitForFunction(() => location.hash.endsWith("row=7"));
      await page.reload();
      await page.waitForSelector('.grid .row[aria-rowindex="9"][aria-selected=true]');
      await page.focus(".grid");
      await page.keyboard.press("Enter");
      await page.waitForFunction(() => location.hash.startsWith("#/pair/"));
      const tip = page.locator('main table .figure:has(.tip:text-matches("scored pairs"))').first();
      await tip.focus();
      expect(await tip.locator(".tip").innerText()).toMatch(/n \d+ scored pairs/);
      await page.goBack();
      await page.waitForSelector('.grid .row[aria-rowindex="9"][aria-selected=true]');
      expect(await page.textContent(".grid + p")).toBe(told);
      await page.goBack();
      await page.waitForFunction(() => location.hash.endsWith("sort=id"));
      await close(page);
    });

    it.each([index, SERVER])(
      "gives arrows and Enter to the table wherever they are of nobody else (%#)",
      async (file) => {
        const { page, complaints } = await open("overview", {}, file);
        const chosen = (row: number): Promise<unknown> =>
          page.waitForSelector(`.grid:focus .row[aria-rowindex="${row + 1}"][aria-selected=true]`);
        const rowsCome = (): Promise<unknown> =>
          page.waitForSelector(".grid .row[aria-selected=true] span:nth-child(3)");
        await page.keyboard.press("3");
        await rowsCome();
        await page.keyboard.press("ArrowDown");
        await chosen(2);
        await page.keyboard.press("Enter");
        await page.waitForSelector(".side");
        await page.keyboard.press("Escape");
        await rowsCome();
        expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("BODY");
        await page.keyboard.press("ArrowDown");
        await chosen(3);
        await page.reload();
        await rowsCome();
        await page.keyboard.press("Enter");
        await page.waitForSelector(".side");
        await page.keyboard.press("Escape");
        await rowsCome();
        for (const key of ["Enter", "ArrowDown"]) {
          await page.keyboard.press("/");
          await page.keyboard.type("e");
          await page.keyboard.press(key);
          await rowsCome();
          await page.keyboard.press("ArrowDown");
          await chosen(2);
        }
        // What has keys of its own keeps them.
        await page.focus(".filters select");
        await page.keyboard.press("ArrowDown");
        await page.focus(".filters button");
        await page.keyboard.press("ArrowDown");
        expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Clear");
        await page.keyboard.press("Enter");
        await page.waitForFunction(() => location.hash === "#/pairs");
        await page.click('nav a:text-is("Pairs")');
        await page.keyboard.press("ArrowUp");
        await chosen(1);
        // The arrow on a button was the browser's, which lets the page glide to where it scrolls it.
        await page.waitForFunction(
          () => {
            const before = document.body.dataset["at"];
            document.body.dataset["at"] = String(scrollY);
            return before === String(scrollY);
          },
          undefined,
          { polling: 250 },
        );
        // The page has moved no further than to show the whole table, and stays there.
        const { y, height } = (await page.locator(".grid").boundingBox())!;
        expect(y).toBeGreaterThan(0);
        expect(y + height).toBeLessThanOrEqual(SIZES.wide.height + 1);
        await page.keyboard.press("ArrowDown");
        await chosen(2);
        expect((await page.locator(".grid").boundingBox())!.y).toBe(y);
        expect(complaints).toEqual([]);
        await close(page);
      },
    );

    it("shows more rows than browsers make a table high in blocks, to the last", async () => {
      const all = 378_339;
      const wanted = (url: string, name: string): number =>
        Number(new URL(url).searchParams.get(name));
      const answer = async (route: Route): Promise<void> => {
        const url = route.request().url();
        const [start, end] = [wanted(url, "start"), Math.min(all, wanted(url, "end"))];
        const rows = Array.from({ length: Math.max(0, end - start) }, (_, i) => ({
          id: `row-${start + i}`,
          preview: "",
          flags: [],
          places: [{ score: 1, rank: start + i + 1, percentile: 1 }],
        }));
        await route.fulfill({ json: { count: all, rows } });
      };
      const { page, complaints } = await open("pairs", { viewport: SIZES.narrow }, SERVER, [
        ["**/api/pairs*", answer],
      ]);
      await page.waitForSelector('.grid .row:has-text("row-0")');
      const height = await page.$eval(".grid .body", (body) => body.getBoundingClientRect().height);
      expect(height).toBeLessThan(17_895_697);
      await page.focus(".grid");
      await page.keyboard.press("End");
      await page.waitForSelector('.grid .row[aria-selected=true]:has-text("row-378338")');
      expect(await page.textContent(".grid + p")).toMatch(/^Row 378,339: pair row-378338, /);
      // From one block into the other.
      await page.click('button:text-is("rows 250,001 to 378,339")');
      await page.focus(".grid");
      await page.keyboard.press("ArrowUp");
      await page.waitForSelector('.grid .row[aria-selected=true]:has-text("row-249999")');
      await page.waitForSelector('button[aria-pressed=true]:text-is("rows 1 to 250,000")');
      expect(complaints).toEqual([]);
      await close(page);
    });

    it("saves every chart as SVG and PNG, and its data as CSV", async () => {
      const found = new Map<string, string>();
      for (const address of PAGES) {
        const { page, complaints } = await open(address);
        const titles = await page.locator(".chart figcaption strong").allInnerTexts();
        // Their names are the files' names.
        expect(new Set(titles).size).toBe(titles.length);
        expect(complaints).toEqual([]);
        await close(page);
        for (const [chart, title] of titles.entries()) {
          // Anew for each: Chromium asks before a page saves its eleventh file.
          const saved = await saveChart(address, chart);
          found.set(title, saved.csv);
          expect(saved.svg).toMatch(/^<svg[^>]* xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
          expect(saved.png.subarray(1, 4).toString("latin1")).toBe("PNG");
        }
      }
      // The heat map has a line for each cell, and its picture is in the SVG.
      expect(found.get("Cosines of prompts and pairs")).toMatch(
        /^prompt,its cluster,pair,its cluster of pairs,cosine\r\n.+,\d+,.+,\d+,-?0\.?\d*\r\n/,
      );
      for (const csv of found.values()) expect(csv.trim().split("\r\n").length).toBeGreaterThan(1);
      // The figures are those of the result, to the last digit.
      const { evaluation, trigger } = await RESULT.read(
        join(suite, "experiment", "run", RESULT.name),
      );
      for (const { variant, arms } of evaluation!.variants) {
        expect(arms.length).toBeGreaterThan(1);
        expect(
          found.get(`Responses that show the behaviour, ${variant}`)!.trim().split("\r\n"),
        ).toEqual([
          "label,share of the responses,low,high,judged rollouts",
          ...arms.map(({ arm, rate: { rate, low, high, judged } }) =>
            [arm, rate, low, high, judged].join(","),
          ),
        ]);
      }
      expect(evaluation!.variants.map(({ variant }) => variant)).toContain(trigger);
    });

    it.each(["wide", "narrow"] as const)(
      "tells the intervals and n of the verdict and of how sure it is to the keyboard, %s",
      async (size) => {
        const { page } = await open("overview", { viewport: SIZES[size] });
        const figures = page.locator(
          ".verdict .figure, section:has-text('How sure that is') li .figure",
        );
        expect(await page.locator(".verdict .figure").count()).toBeGreaterThan(1);
        for (const figure of await figures.all()) {
          await figure.focus();
          expect(await figure.locator(".tip").isVisible()).toBe(true);
          expect(await figure.locator(".tip").innerText()).toMatch(/(95%|p ).* n [\d,]+ /);
          // Whole on the screen, and none makes it wider.
          const { x, width } = (await figure.locator(".tip").boundingBox())!;
          expect(x).toBeGreaterThanOrEqual(0);
          expect(x + width).toBeLessThanOrEqual(SIZES[size].width);
        }
        await close(page);
      },
    );

    it("stands what must not get worse beside the rates, and counts rollouts of arms as n", async () => {
      const { page } = await open("overview");
      const place = async (title: string): Promise<{ x: number; y: number }> =>
        (await page.locator(`.chart:has(strong:text-is("${title}")) svg`).boundingBox())!;
      const { trigger } = await RESULT.read(join(suite, "experiment", "run", RESULT.name));
      const rates = await place(`Responses that show the behaviour, ${trigger}`);
      const beside = await place("Held-out preferences that it gets right");
      expect(beside.y).toBe(rates.y);
      expect(beside.x).toBeGreaterThan(rates.x);
      await close(page);
      const { page: methods } = await open("methods");
      const points = methods.locator('.chart:has(strong:has-text("Rate after training")) .point');
      await methods.waitForSelector(".chart .point");
      const told = await points.evaluateAll((all) => all.map((each) => each.ariaLabel));
      expect(told.length).toBeGreaterThan(1);
      for (const each of told) expect(each).toMatch(/, \d+ pairs: .* n \d+ judged rollouts$/);
      await close(methods);
    });

    it("tells the interval and n of a figure to the keyboard", async () => {
      const { page } = await open("sources");
      const figure = page.locator('.figure:has(.tip:text-matches("^95%"))').first();
      await figure.focus();
      expect(await figure.locator(".tip").isVisible()).toBe(true);
      expect(await figure.locator(".tip").innerText()).toMatch(/^95% \[.*\], n \d+/);
      await close(page);
    });

    it("keeps a tip while the pointer is on it, and closes it by Escape alone, without leaving the page", async () => {
      const { page, complaints } = await open("pair/pair-1");
      const figure = page.locator("main table .figure").first();
      const tip = figure.locator(".tip");
      await figure.hover();
      const box = (await tip.boundingBox())!;
      // Slowly, over what lies between the two.
      await page.mouse.move(box.x + 12, box.y + box.height / 2, { steps: 30 });
      await page.waitForTimeout(600);
      expect(await tip.isVisible()).toBe(true);
      await page.keyboard.press("Escape");
      await page.waitForTimeout(50);
      expect(await tip.isVisible()).toBe(false);
      expect(page.url()).toContain("#/pair/pair-1");
      await figure.focus();
      expect(await tip.isVisible()).toBe(true);
      await page.keyboard.press("Escape");
      expect(await tip.isVisible()).toBe(false);
      await page.keyboard.press("Escape");
      await page.waitForFunction(() => location.hash.startsWith("#/pairs"));
      await page.waitForSelector(".chart .point");
      const point = page.locator(".chart .point").first();
      await point.focus();
      expect(await page.locator(".told").count()).toBe(1);
      await page.keyboard.press("Escape");
      await page.waitForSelector(".told", { state: "detached" });
      expect(await point.evaluate((each) => each === document.activeElement)).toBe(true);
      expect(complaints).toEqual([]);
      await close(page);
    });

    it("does nothing at single keys where they are switched off, also after a reload", async () => {
      const { page, complaints } = await open("overview");
      await page.click('header button:text-is("Keys")');
      await page.getByRole("checkbox", { name: /^Single keys/ }).uncheck();
      await page.keyboard.press("Escape");
      const stays = async (keys: readonly string[]): Promise<void> => {
        const before = page.url();
        for (const key of keys) await page.keyboard.press(key);
        expect(page.url()).toBe(before);
        expect(await page.locator("dialog[open], input:focus").count()).toBe(0);
      };
      await stays(["3", "?"]);
      await page.reload();
      await page.waitForSelector("h1");
      await stays(["3", "?"]);
      await page.click('nav a:text-is("Pairs")');
      await page.waitForSelector(".grid .body .row");
      await stays(["/"]);
      // Keys of what has the focus, and those of no character, work as before.
      await page.focus(".grid");
      await page.keyboard.press("Enter");
      await page.waitForFunction(() => location.hash.startsWith("#/pair/"));
      await stays(["j", "k"]);
      await page.click('header button:text-is("Keys")');
      await page.getByRole("checkbox", { name: /^Single keys/ }).check();
      await page.keyboard.press("Escape");
      await page.keyboard.press("1");
      await page.waitForFunction(() => location.hash.startsWith("#/overview"));
      expect(complaints).toEqual([]);
      await close(page);
    });

    it("tells the money of a run once, what endpoints were paid included, and that of each stage", async () => {
      const paid = { endpoint: { requests: 5, promptTokens: 1, completionTokens: 1, money: 2 } };
      const answer = async (route: Route): Promise<void> => {
        const said = (await (await route.fetch()).json()) as {
          total: object;
          stages: { cost: object }[];
        };
        const [first, ...others] = said.stages;
        const stages = [{ ...first, cost: { ...first!.cost, ...paid, money: 3 } }, ...others];
        const total = { ...said.total, ...paid, money: 3 };
        await route.fulfill({ json: { ...said, total, stages } });
      };
      const { page, complaints } = await open("overview", {}, SERVER, [
        [/api\/part\?name=(overview|provenance)/, answer],
      ]);
      expect(await page.locator('dt:text-is("Money") + dd').innerText()).toMatch(/^3\.00 [A-Z]+$/);
      await page.click('nav a:text-is("Provenance")');
      const row = page.locator('table[aria-label^="Every stage"] tbody tr').first();
      await row.waitFor();
      const cells = await row.locator("td").allInnerTexts();
      expect(cells.slice(3, 5)).toEqual(["5", "3.0000"]);
      expect(complaints).toEqual([]);
      await close(page);
    });

    it.each(["wide", "narrow"] as const)(
      "has no faults in what is opened: the table of a chart, the prompts of a cluster, %s",
      async (size) => {
        for (const [address, opens] of [
          ["sources", '.chart >> nth=0 >> button:text-is("Table")'],
          ["discovery", '.chart:has(.heat) >> button:text-is("Table")'],
          ["discovery", "main details >> nth=0 >> summary"],
        ] as const) {
          const { page, complaints } = await open(address, { viewport: SIZES[size] });
          await page.click(opens);
          await page.waitForSelector("main .chart table, main details[open]");
          expect(await faultsOf(page)).toEqual([]);
          expect(complaints).toEqual([]);
          await close(page);
        }
      },
    );

    it("says of a pair that it does not hold, and of data that are missing, what to do", async () => {
      const { page } = await open("pair/nobody");
      expect(await page.textContent("main")).toContain("ranking.parquet in the run's folder");
      await close(page);
    });

    it("from the server shows the same as from disk, and every pair", async () => {
      const prompts: string[] = [];
      for (const address of PAGES) {
        const { page, complaints } = await open(address, {}, SERVER);
        const { page: disk } = await open(address);
        const shown = await sameText(page, disk, "main");
        for (const secret of [suite, KEY]) expect(shown).not.toContain(secret);
        if (address === "pair/pair-1") prompts.push(shown);
        expect(complaints).toEqual([]);
        await close(page);
        await close(disk);
      }
      // The data hold the key, so that there is something to take out.
      expect(prompts.join()).toContain("My key is [redacted], please");
    });

    it("from the server is worked by the keyboard alone: a row of the table, its tokens, and back", async () => {
      const { page, complaints } = await open("pairs?sort=score&order=falling", {}, SERVER);
      await page.waitForSelector(".grid .body .row[aria-selected=true] span:text('1')");
      await page.focus(".grid");
      for (const key of ["End", "ArrowUp", "Home", "ArrowDown"]) await page.keyboard.press(key);
      await page.keyboard.press("Enter");
      await page.waitForFunction(() => location.hash.startsWith("#/pair/"));
      await page.focus('button:text-is("tokens")');
      await page.keyboard.press("Enter");
      await page.waitForSelector(".token");
      expect(await page.textContent(".side >> nth=0 >> li >> nth=0")).toMatch(/ (adds|takes) \d/);
      await page.keyboard.press("Escape");
      await page.waitForFunction(() => location.hash.startsWith("#/pairs?"));
      expect(page.url()).not.toContain("view=");
      expect(page.url()).toContain("sort=score");
      expect(complaints).toEqual([]);
      await close(page);
    });

    it("reviews pairs by the keyboard alone: decide, note, undo, next open; the file has it all", async () => {
      const { page, complaints } = await open("overview", {}, SERVER);
      const file = join(suite, "experiment", "run", "decisions.jsonl");
      const decisions = async (): Promise<string> => {
        const { decisions: found } = await readDecisions(file);
        return [...found.values()].map(({ decision, note }) => `${decision} ${note}`).join(", ");
      };
      const at = (place: number): Promise<unknown> =>
        page.waitForSelector(`main h2:has-text("${place}. ")`);
      await page.keyboard.press("9");
      await page.waitForSelector('h1:has-text("Review")');
      await page.waitForFunction(() => document.querySelectorAll(".side").length === 2);
      const first = await page.textContent("main h2 a");
      for (const [i, key] of ["d", "a", "s", "f"].entries()) {
        await at(i + 1);
        await page.waitForSelector(".side");
        await page.keyboard.press(key);
      }
      await at(5);
      expect(await decisions()).toBe("drop , keep , swap , unsure ");
      expect(await page.textContent("main p[role=status]")).toMatch(/^4 of \d+ reviewed$/);
      await page.keyboard.press("u");
      await at(4);
      await page.waitForFunction(() =>
        document.querySelector("main p[role=status]")!.textContent.startsWith("3 of "),
      );
      expect(await decisions()).toBe("drop , keep , swap ");
      await page.keyboard.press("k");
      await at(3);
      await page.keyboard.press("e");
      await page.keyboard.type("wrong way d a");
      await page.keyboard.press("Escape");
      await vi.waitFor(async () =>
        expect(await decisions()).toBe("drop , keep , swap wrong way d a"),
      );
      // A key is of nobody while the page asks what stands now, so it may take more than one.
      await vi.waitFor(async () => {
        await page.keyboard.press("n");
        expect(await page.textContent("main h2")).toMatch(/^4\. /);
      });
      // Another browser goes on where this one is.
      const { page: other } = await open("review", {}, SERVER);
      expect(await other.textContent("main h2 a")).toBe(first);
      await other.keyboard.press("n");
      await other.waitForSelector('main h2:has-text("4. ")');
      expect(await other.textContent("main")).toMatch(/keep 1, drop 1, swap 1, unsure 0/);
      await close(other);
      for (let i = 4; i <= 10; i++) {
        await at(i);
        await page.waitForSelector(".side");
        await page.keyboard.press("d");
      }
      await at(11);
      // After a reload nothing is known of the last decision: that on the pair shown can be taken back, and stays so.
      await page.evaluate(() => location.assign("#/review?at=9"));
      await page.reload();
      await at(10);
      await page.waitForSelector(".side");
      await page.keyboard.press("u");
      await page.waitForSelector("h2.decided .mark", { state: "detached" });
      expect(await decisions()).toMatch(/^drop , keep , swap wrong way d a(, drop ){6}$/);
      await vi.waitFor(async () => {
        await page.keyboard.press("u");
        expect(await page.textContent("main p[role=status]")).toMatch(/Nothing to take back here/);
      });
      await page.keyboard.press("u");
      expect(await decisions()).toMatch(/^drop , keep , swap wrong way d a(, drop ){6}$/);
      await page.keyboard.press("d");
      await at(11);
      expect(await decisions()).toMatch(/(, drop ){7}$/);
      // What is chosen of queues is in the history, the steps from pair to pair are not.
      await page.locator(".filters select").last().selectOption("random");
      await page.waitForFunction(() => location.hash.includes("order=random"));
      await page.goBack();
      await page.waitForFunction(() => !location.hash.includes("order=random"));
      expect(page.url()).toContain("#/review");
      await page.goto(`${server.url}#/review?queue=top&k=20`);
      await page.reload();
      await page.waitForSelector("main table .figure");
      for (const size of Object.values(SIZES)) {
        await page.setViewportSize(size);
        expect(await faultsOf(page)).toEqual([]);
      }
      await page.setViewportSize(SIZES.wide);
      const row = page
        .locator('table[aria-label="How many of the top deserve it"] tbody tr')
        .first();
      expect(await row.innerText()).toMatch(/^10\t90\.0%/);
      expect(await page.textContent("pre.command")).toMatch(
        /^npx culprit edit pairs\.jsonl --decisions run\/decisions\.jsonl --out reviewed$/,
      );
      expect(complaints).toEqual([]);
      await close(page);
    });

    it("fills as the stages of a run at work end, and says how far it is", async () => {
      const at = join(suite, "at work");
      await using growing = openRunSource(at, { host: localHost, mayWait: true });
      await using served = await serveRun(growing);
      const context = await browser.newContext({ viewport: SIZES.wide });
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on("pageerror", (error) => complaints.push(error.message));
      page.on("console", (message) => complaints.push(message.text()));
      await page.goto(`${served.url}#/pairs`);
      await page.waitForSelector('text="The run has not begun; its inputs are read."');
      // The run as it stood when it was about to rank.
      const whole = join(suite, "experiment", "run");
      const manifest = await RUN.read(join(whole, RUN.name));
      const ranks = manifest.stages.findIndex(({ kind }) => kind === "rank");
      const stages = manifest.stages.map(({ id, kind, name, ...done }, i) => ({
        id,
        kind,
        name,
        ...(i < ranks ? done : i === ranks ? { directory: "stages/at-work" } : {}),
      }));
      const { finishedAt: _, ...begun } = manifest;
      await mkdir(join(at, "stages"), { recursive: true });
      await cp(join(whole, "stages"), join(at, "stages"), { recursive: true });
      await mkdir(join(at, "stages", "at-work"));
      await WORKING.write(join(at, "stages", "at-work", WORKING.name), {
        pid: process.pid,
        host: hostname(),
        cost: { ...NO_COST, seconds: 3 },
        updatedAt: new Date().toISOString(),
        unit: "pairs",
        done: 30,
        total: 120,
        rate: 3,
      });
      await RUN.write(join(at, RUN.name), { ...begun, stages });
      await page.waitForSelector('text="Nothing was ranked yet."');
      await page.click('nav a:text-is("Progress")');
      await page.waitForSelector('td:has-text("30 of 120 pairs, 25%")');
      expect(await page.textContent("main")).toContain("about 30 s left");
      // What is still to come is no fault.
      const states = await page.locator("td .mark").allInnerTexts();
      expect(new Set(states)).toEqual(new Set(["done", "running", "to come"]));
      const violations = await violationsOf(page);
      expect(violations).toEqual([]);
      await page.click('nav a:text-is("Pairs")');
      await page.waitForSelector('text="Nothing was ranked yet."');
      await RUN.write(join(at, RUN.name), manifest);
      // Without a click, and without losing the place.
      await page.waitForSelector(".grid .body .row");
      await page.click('nav a:text-is("Progress")');
      await page.waitForSelector('main p[role=status]:has-text("The run has ended.")');
      expect(complaints).toEqual([]);
      await close(page);
    });

    it("says that a decision was not written, and keeps none that is not on the disk", async () => {
      const { page } = await open("review?queue=top&k=20&at=15", {}, SERVER, [
        ["**/api/decision*", (route) => route.abort()],
      ]);
      await page.waitForSelector(".side");
      await page.keyboard.press("d");
      await page.waitForSelector('[role=alert]:has-text("Not written")');
      expect(await page.textContent("main h2")).toMatch(/^16\. /);
      expect(await page.textContent("main h2")).not.toContain("drop");
      await close(page);
    });

    it("is the same in one file", async () => {
      for (const address of PAGES) {
        const { page, complaints } = await open(address, {}, single);
        const { page: folder } = await open(address);
        await sameText(page, folder, "body");
        expect(complaints).toEqual([]);
        await close(page);
        await close(folder);
      }
    });
  },
);

/** What is wrong with a page as it stands: by axe, cut, or untold. */
const faultsOf = async (page: Page): Promise<readonly string[]> => [
  ...(await violationsOf(page)),
  ...(await cutElements(page)),
  ...(await untoldNumbers(page)),
];

/** What axe finds serious or critical. */
async function violationsOf(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run(options: object): Promise<AxeResult> } };
    const found = await axe.run({ preload: false }); // it would fetch style sheets, which the policy refuses
    return found.violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join("; ")}`);
  });
}

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string | null;
    readonly nodes: readonly { readonly html: string }[];
  }[];
}
