/** @file Every command. Tests walk this list: what holds for one command holds for all. */
import { agreement } from "../../verbs/agreement.ts";
import { audit } from "../../verbs/audit.ts";
import { behavior } from "../../verbs/behavior.ts";
import { capabilities } from "../../verbs/capabilities.ts";
import { conditions } from "../../verbs/conditions.ts";
import { edit } from "../../verbs/edit.ts";
import { embed } from "../../verbs/embed.ts";
import { evaluate } from "../../verbs/evaluate.ts";
import { generate } from "../../verbs/generate.ts";
import { importing } from "../../verbs/import.ts";
import { judge } from "../../verbs/judge.ts";
import { quality } from "../../verbs/quality.ts";
import { rank } from "../../verbs/rank.ts";
import { scenarios } from "../../verbs/scenarios.ts";
import { steer } from "../../verbs/steer.ts";
import { train } from "../../verbs/train.ts";
import type { Command } from "../command.ts";
import { verbCommand } from "../verb-command.ts";
import { demoCommand } from "./demo.ts";
import { reviewCommand } from "./review.ts";
import { runCommand } from "./run.ts";
import { statusCommand } from "./status.ts";

/** Every subcommand, in the order of the work. */
export const COMMANDS: readonly Command[] = [
  verbCommand(audit),
  verbCommand(scenarios),
  verbCommand(generate),
  verbCommand(importing),
  verbCommand(embed),
  verbCommand(judge),
  reviewCommand,
  verbCommand(agreement),
  verbCommand(conditions),
  verbCommand(behavior),
  verbCommand(steer),
  verbCommand(rank),
  verbCommand(quality),
  verbCommand(edit),
  verbCommand(train),
  verbCommand(capabilities),
  verbCommand(evaluate),
  runCommand,
  statusCommand,
  demoCommand,
];
