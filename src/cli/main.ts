#!/usr/bin/env node
import { ConfigError, CulpritError, FormatError } from "../util/errors.ts";
import { nearest } from "../util/nearest.ts";
import { silentProgress } from "../util/progress.ts";
import { printableLines } from "../util/text-table.ts";
import { VERSION } from "../util/version.ts";
import { parseArguments } from "./arguments.ts";
import { COMMANDS } from "./commands/index.ts";
import { commandHelp, overviewHelp } from "./help.ts";
import { createProgressBar } from "./progress-bar.ts";

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // A reader that has seen enough (head, less) is no failure of ours.
  if (error.code === "EPIPE") process.exit();
  process.stderr.write(`culprit: stdout cannot be written (${error.code ?? error.message})\n`);
  process.exitCode = 1;
});
process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  const [name, ...rest] = words;
  const abort = new AbortController();
  // The first Ctrl-C lets the work stop at a safe point; a second one falls through to the default and ends at once.
  process.once("SIGINT", () => {
    process.stderr.write("culprit: stopping; Ctrl-C again ends at once\n");
    abort.abort();
  });
  try {
    if (name === "--version") {
      process.stdout.write(`${VERSION}\n`);
      return 0;
    }
    if (name === undefined || name === "--help" || name === "-h" || name === "help") {
      process.stdout.write(overviewHelp(COMMANDS));
      return name === undefined ? 2 : 0;
    }
    const command = COMMANDS.find((each) => each.name === name);
    if (command === undefined) {
      const near = nearest(
        name,
        COMMANDS.map((each) => each.name),
      );
      throw new ConfigError(`unknown command "${name}"`, {
        hint: `${near === undefined ? "" : `Did you mean ${near}? `}culprit --help lists the commands.`,
      });
    }
    if (rest.includes("--help") || rest.includes("-h")) {
      process.stdout.write(commandHelp(command));
      return 0;
    }
    const args = parseArguments(command, rest);
    await command.run(args, {
      print: (text) => void process.stdout.write(text.endsWith("\n") ? text : `${text}\n`),
      log: (line) => void (args.has("quiet") || process.stderr.write(`${printableLines(line)}\n`)),
      warn: (line) => void process.stderr.write(`warning: ${printableLines(line)}\n`),
      progress: (label, unit) =>
        args.has("quiet")
          ? silentProgress
          : createProgressBar({
              label,
              unit,
              stream: process.stderr,
              nowMs: () => performance.now(),
            }),
      signal: abort.signal,
    });
    return 0;
  } catch (error) {
    return report(error, words.includes("--debug"), abort.signal.aborted);
  }
}

function report(error: unknown, isDebug: boolean, isAborted: boolean): number {
  if (isAborted && error instanceof Error && error.name === "AbortError") {
    process.stderr.write(
      "culprit: stopped; what is finished stays, the same command goes on from there\n",
    );
    return 1;
  }
  if (error instanceof CulpritError) {
    process.stderr.write(`culprit: ${printableLines(error.message)}\n`);
    if (error.hint !== undefined) process.stderr.write(`  ${printableLines(error.hint)}\n`);
    if (isDebug) process.stderr.write(`${error.stack ?? ""}\n`);
    return error instanceof ConfigError || error instanceof FormatError ? 2 : 1;
  }
  // Anything else is a bug of ours: the stack is what a report needs.
  process.stderr.write(
    `culprit: internal error\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return 1;
}
