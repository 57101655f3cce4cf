import { join } from "node:path";

import { type ExperimentStatus, readExperimentStatus } from "../../runs/experiment-status.ts";
import { ConfigError } from "../../util/errors.ts";
import { onlyPositional } from "../arguments.ts";
import { asJson, type Command, type CommandContext, type ParsedArguments } from "../command.ts";
import { formatStatus } from "../status-table.ts";

export const statusCommand: Command = {
  name: "status",
  summary: "How far an experiment is: stages done, running and missing, with times and costs",
  positionals: "DIR",
  description: `
DIR is the folder of an experiment, as culprit run --out named it. Reads only, so it may be called while a run is at work: of
the stage that is running it shows the share done, the rate and the time left, as the run writes them every second.

With --stage, only the folder that the last run used for that stage; folders that earlier settings left are passed over.

  culprit status culprit-out/my-experiment
  cat "$(culprit status culprit-out/my-experiment --stage filter)/conditions.json"`,
  flags: {
    stage: {
      type: "string",
      value: "ID",
      describe: "Print the folder of this stage instead. Default: the whole experiment.",
    },
  },
  run,
};

async function run(args: ParsedArguments, context: CommandContext): Promise<void> {
  const out = onlyPositional(args, "status", "one experiment folder");
  const status = await readExperimentStatus(out);
  const id = args.text("stage");
  if (id !== undefined) {
    const folder = stageFolder(status, id);
    return context.print(args.has("json") ? JSON.stringify(folder) : folder);
  }
  context.print(args.has("json") ? asJson(status) : formatStatus(status));
}

function stageFolder({ out, stages }: ExperimentStatus, id: string): string {
  const stage = stages.find((each) => each.id === id);
  if (stage?.state === "done" && stage.directory !== undefined) return join(out, stage.directory);
  const ids = stages.filter(({ state }) => state === "done").map((each) => each.id);
  throw new ConfigError(
    `--stage: expected a finished stage, got ${JSON.stringify(id.slice(0, 60))}`,
    { hint: `They are ${ids.join(", ") || "none yet"}.` },
  );
}
