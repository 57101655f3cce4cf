import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { readExperiment, withTrainingSeeds } from "../../experiment/read-experiment.ts";
import type { Command, CommandContext, ParsedArguments } from "../command.ts";
import { runAndPrint } from "../run-and-print.ts";

const ORGANISMS = ["distractor", "diffuse"] as const;

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

Ends with one table and the paths of everything written. About five minutes on two cores with one training seed. Killed,
it goes on where it was; given again, it does what is new.

  culprit demo
  culprit demo --seeds 3 --out culprit-out/three-seeds`,
  flags: {
    organism: {
      type: "string",
      value: "NAME",
      describe: `Which organism: ${ORGANISMS.join(" or ")}. Default: distractor.`,
    },
    seeds: {
      type: "string",
      value: "N",
      describe:
        "Trains every arm with N seeds, so that intervals hold what the seed decides. Default: 1.",
    },
    out: {
      type: "string",
      value: "DIR",
      describe: "The folder for everything that is written. Default: culprit-out/demo-ORGANISM.",
    },
  },
  run,
};

async function run(args: ParsedArguments, context: CommandContext): Promise<void> {
  const organism = args.choice("organism", ORGANISMS) ?? "distractor";
  const seeds = args.integer("seeds", { min: 1, max: 100 }) ?? 1;
  const out = args.text("out") ?? join("culprit-out", `demo-${organism}`);
  const file = await readExperiment(experimentPath(organism));
  await runAndPrint(withTrainingSeeds(file, seeds), { out }, { isJson: args.has("json"), context });
}

/** Where the file lies in the package, seen from src/cli/commands as from dist/cli/commands. */
function experimentPath(organism: string): string {
  return fileURLToPath(new URL(`../../../examples/${organism}.yaml`, import.meta.url));
}
