import { existsSync } from "node:fs";

import { type Browser, chromium } from "playwright-core";

/** Where a Chromium may be; CULPRIT_CHROMIUM names another. */
const PLACES = [
  process.env["CULPRIT_CHROMIUM"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];

/** The browser of this machine; undefined where there is none. */
export const CHROMIUM = PLACES.find((path) => path !== undefined && existsSync(path));

/** Title of the tests that are left out where there is none. */
export const NO_BROWSER = "needs Chromium, of which there is none here: apt-get install chromium";

/** Starts it without a sandbox, which containers do not allow. */
export const openBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: CHROMIUM!, args: ["--no-sandbox"] });
