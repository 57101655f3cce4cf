import { parseArguments } from "../../src/cli/arguments.ts";
import type { Command, CommandContext } from "../../src/cli/command.ts";
import { COMMANDS } from "../../src/cli/commands/index.ts";
import { silentProgress } from "../../src/util/progress.ts";

/**
 * Runs a command in this process, without the second that starting Node takes: what it printed. Errors come as they are;
 * main.ts makes exit codes of them, which the tests with runCli look at.
 */
export async function runCommand(
  name: string | Command,
  words: readonly string[],
  warn: CommandContext["warn"] = () => {},
): Promise<string> {
  const command = typeof name === "string" ? commandNamed(name) : name;
  let printed = "";
  const context = silentContext();
  await command.run(parseArguments(command, words), {
    ...context,
    warn,
    print: (text) => void (printed += text),
  });
  return printed;
}

/** Says nothing. */
export function silentContext(): CommandContext {
  return {
    print: () => {},
    log: () => {},
    warn: () => {},
    progress: () => silentProgress,
    signal: new AbortController().signal,
  };
}

/** The command of that name. */
export function commandNamed(name: string): Command {
  return COMMANDS.find((each) => each.name === name)!; // names of tests are right
}
