import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { RuntimeError } from "../util/errors.ts";
import { packageFile } from "../util/package-file.ts";

/** The built page, the same for every report. */
export interface PageFiles {
  /** Refers to page.css and page.js. */
  readonly html: string;
  readonly css: string;
  readonly script: string;
}

/** Where `npm run build` puts the page. */
const FOLDER = packageFile("dist/report-page/");

/** Reads the built page. Throws RuntimeError where it was not built. */
export async function readPageFiles(): Promise<PageFiles> {
  const read = (name: string): Promise<string> =>
    readFile(new URL(name, FOLDER), "utf8").catch((cause: unknown) => {
      throw new RuntimeError(
        `${fileURLToPath(new URL(name, FOLDER))}: the page of reports is not built`,
        { hint: "Run npm run build once.", cause },
      );
    });
  const [html, css, script] = await Promise.all([
    read("index.html"),
    read("page.css"),
    read("page.js"),
  ]);
  return { html, css, script };
}
