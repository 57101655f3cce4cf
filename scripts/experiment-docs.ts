/** @file What the settings of verbs say of the experiment file: the JSON Schema for editors, and the table in docs/experiments.md. */
import { readFile, writeFile } from "node:fs/promises";

import { experimentJsonSchema } from "../src/experiment/schema.ts";
import { settingsTable } from "../src/experiment/settings-table.ts";
import { atRoot, between } from "./documents.ts";

export async function writeExperimentDocs(): Promise<void> {
  const schema = JSON.stringify(experimentJsonSchema(), undefined, 2);
  await writeFile(atRoot("examples/experiment.schema.json"), `${schema}\n`);
  const path = atRoot("docs/experiments.md");
  await writeFile(path, between(await readFile(path, "utf8"), "settings", settingsTable()));
}
