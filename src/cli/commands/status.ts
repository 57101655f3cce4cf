import { readExperimentStatus } from "../../index.ts";
import type { Command, CommandContext, ParsedArguments } from "../command.ts";
import { onlyPositional } from "../required.ts";
import { formatStatus } from "../status-table.ts";

export const statusCommand: Command = {
  name: "status",
  summary: "How far an experiment is: stages done, running and missing, with times and costs",
  positionals: "DIR",
  description: `
DIR is the folder of an experiment, as culprit run --out named it. Reads only, so it may be called while a run is at work.

  culprit status culprit-out/my-experiment`,
  flags: {},
  run,
};

async function run(args: ParsedArguments, context: CommandContext): Promise<void> {
  const out = onlyPositional(args, "status", "one experiment folder");
  const status = await readExperimentStatus(out);
  context.print(args.has("json") ? JSON.stringify(status, undefined, 2) : formatStatus(status));
}
