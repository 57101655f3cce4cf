/** @file Every command. Tests walk this list: what holds for one command holds for all. */
import { VERBS } from "../../verbs/index.ts";
import type { Command } from "../command.ts";
import { verbCommand } from "../verb-command.ts";
import { clusterCommand } from "./cluster.ts";
import { demoCommand } from "./demo.ts";
import { reviewCommand } from "./review.ts";
import { runCommand } from "./run.ts";
import { showCommand } from "./show.ts";
import { statusCommand } from "./status.ts";

const verbs = VERBS.map((verb) =>
  verb.name === showCommand.name ? showCommand : verbCommand(verb),
);

/** Verbs before the one that they are for: people review what was judged. */
const reviewed = VERBS.findIndex(({ name }) => name === "agreement");

/** Every subcommand, in the order of the work. */
export const COMMANDS: readonly Command[] = [
  ...verbs.slice(0, reviewed),
  reviewCommand,
  ...verbs.slice(reviewed),
  runCommand,
  statusCommand,
  demoCommand,
  clusterCommand,
];
