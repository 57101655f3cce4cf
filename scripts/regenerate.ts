/**
 * @file Makes again what is made from declarations in the code: `npm run regenerate`. With `--goldens [FOLDER…]` also the
 * golden files (of these folders of test/golden), by the Python that $PYTHON names (default python3) as far as it has their packages.
 */
import { execFileSync } from "node:child_process";

import { writeExperimentDocs } from "./experiment-docs.ts";
import { regenerateGoldens, writeGoldenTable } from "./goldens.ts";
import { writeLintRules } from "./lint-rules.ts";
import { writeOpenApi } from "./open-api-docs.ts";
import { writeRoomDocs } from "./room-docs.ts";

await writeLintRules();
await writeRoomDocs();
await writeExperimentDocs();
await writeOpenApi();
execFileSync(
  "npx",
  ["oxfmt", ".oxlintrc.json", "examples/experiment.schema.json", "docs/report-api.json"],
  {
    stdio: "inherit",
  },
);
await writeGoldenTable();
const [option, ...folders] = process.argv.slice(2);
if (option === "--goldens") {
  regenerateGoldens(process.env["PYTHON"] ?? "python3", folders, (line) =>
    process.stderr.write(`${line}\n`),
  );
}
