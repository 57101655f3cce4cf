import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { z } from "zod";

import { ENGINES } from "../../engine/engines.ts";
import { readExperiment, withTrainingSeeds } from "../../experiment/read-experiment.ts";
import { makeReport } from "../../report/make-report.ts";
import { packageFile } from "../../util/package-file.ts";
import { count } from "../../util/setting-kinds.ts";
import { jsonSchemaOf } from "../../verbs/json-schema.ts";
import { listSettings } from "../../verbs/list-settings.ts";
import type { Command, CommandContext, ParsedArguments } from "../command.ts";
import { runAndPrint } from "../run-and-print.ts";
import { readSettings, settingFlags } from "../verb-flags.ts";

const settings = z.strictObject({
  organism: z.enum(["distractor", "diffuse"]).default("distractor").describe("Which organism."),
  seeds: count
    .max(100)
    .default(1)
    .describe("Trains every arm with as many seeds, so that intervals hold what the seed decides."),
});
const flags = listSettings(jsonSchemaOf(settings));

/** Pairs of the top whose tokens the report shades. */
const SHADED = 1000;

export const demoCommand: Command = {
  name: "demo",
  summary:
    "The whole loop on a model organism that ships: train, probe, rank, edit, retrain, measure",
  positionals: "",
  description: `
Runs the experiment file of a model organism (examples/ORGANISM.yaml, docs/organisms.md) as culprit run would: DPO on
the whole mix from the organism's checkpoint, responses of both checkpoints, judged by rules; the scenarios that only
the trained one fails become the behaviour's vector, by which all pairs are ranked. Which pairs are the culprits is
known here, so the ranking is held to it. Then the top of the ranking is edited, and so are as many random pairs; each
edited mix is trained on and measured again.

Ends with one table, the paths of everything written, and a report to look at (culprit report). About five minutes on
two cores with one training seed. Killed, it goes on where it was; given again, it does what is new.

  culprit demo
  culprit demo --seeds 3 --out culprit-out/three-seeds`,
  flags: {
    ...settingFlags(flags),
    out: {
      type: "string",
      value: "DIR",
      describe: "The folder for everything that is written. Default: culprit-out/demo-ORGANISM.",
    },
  },
  run,
};

async function run(args: ParsedArguments, context: CommandContext): Promise<void> {
  const { organism, seeds } = readSettings(args, "demo", settings, flags);
  const out = args.text("out") ?? join("culprit-out", `demo-${organism}`);
  const file = await readExperiment(experimentPath(organism));
  const isJson = args.has("json");
  await runAndPrint(withTrainingSeeds(file, seeds), { out }, { isJson, context });
  const { signal } = context;
  const tokens = { count: SHADED, host: ENGINES[0], signal };
  const { index } = await makeReport(out, {
    out: join(out, "report"),
    isForced: true,
    tokens,
    signal,
  });
  const lines = [
    "",
    `${index}  all of it to look at; open it in a browser:`,
    pathToFileURL(index).href,
  ];
  if (isJson) context.log(lines.join("\n"));
  else context.print(lines.join("\n"));
}

/** Where the file lies in the package. */
function experimentPath(organism: string): string {
  return fileURLToPath(packageFile(`examples/${organism}.yaml`));
}
