/** @file docs/report-api.json: the OpenAPI file of the server of a report, made from the schemas of its answers. */
import { writeFile } from "node:fs/promises";

import { openApi } from "../src/serve/open-api.ts";
import { atRoot } from "./documents.ts";

export const OPEN_API = "docs/report-api.json";

/** Formatted like all JSON of the repository by whoever calls it. */
export async function writeOpenApi(): Promise<void> {
  await writeFile(atRoot(OPEN_API), `${JSON.stringify(openApi(), undefined, 2)}\n`);
}
