#!/usr/bin/env node
import { ConfigError, CulpritError, FormatError } from "../util/errors.ts";
import { nearest } from "../util/nearest.ts";
import { silentProgress } from "../util/progress.ts";
import { printableLines } from "../util/text-table.ts";
import { VERSION } from "../util/version.ts";
import { parseArguments } from "./arguments.ts";
import type { Screen } from "./command.ts";
import { COMMANDS } from "./commands/index.ts";
import { commandHelp, overviewHelp } from "./help.ts";
import { createProgressBar } from "./progress-bar.ts";

/** 128 and the signal's number, as shells have it. */
const STATUS_OF_SIGNAL = { SIGINT: 130, SIGTERM: 143 } as const;
type StopSignal = keyof typeof STATUS_OF_SIGNAL;

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // A reader that has seen enough (head, less) is no failure of ours.
  if (error.code === "EPIPE") process.exit();
  process.stderr.write(`culprit: stdout cannot be written (${error.code ?? error.message})\n`);
  process.exitCode = 1;
});
process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  const abort = new AbortController();
  let stoppedBy: StopSignal | undefined;
  const stop = (signal: StopSignal): void => {
    stoppedBy ??= signal;
    const again = signal === "SIGINT" ? "Ctrl-C" : signal;
    process.stderr.write(`culprit: stopping; ${again} again ends at once\n`);
    abort.abort();
  };
  // The first one lets the work stop at a safe point; a second one falls through to the default and ends at once.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop(signal));
  const status = await runWords(words, abort.signal);
  // Also where the work came to its end in the meantime: a script that runs several commands has to know that it was stopped.
  return stoppedBy === undefined ? status : STATUS_OF_SIGNAL[stoppedBy];
}

/** The exit status of a command that was not stopped. */
async function runWords(words: readonly string[], signal: AbortSignal): Promise<number> {
  const [name, ...rest] = words;
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
      screen: args.has("quiet") ? undefined : screenOf(process.stderr),
      signal,
    });
    return 0;
  } catch (error) {
    return report(error, words.includes("--debug"), signal);
  }
}

function screenOf(stream: NodeJS.WriteStream): Screen | undefined {
  if (!stream.isTTY || process.env["TERM"] === "dumb") return undefined;
  return {
    write: (text) => stream.write(text),
    get columns() {
      return stream.columns || 80; // some terminals do not say
    },
    get rows() {
      return stream.rows || 24;
    },
  };
}

function report(error: unknown, isDebug: boolean, signal: AbortSignal): number {
  if (isStop(error, signal)) {
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

/** Whether an error says no more than that the work was stopped: libraries give the reason, or an AbortError that has it as its cause. */
function isStop(error: unknown, { aborted, reason }: AbortSignal): boolean {
  if (!aborted) return false;
  for (let at = error; at !== undefined; at = at instanceof Error ? at.cause : undefined) {
    if (at === reason || (at instanceof Error && at.name === "AbortError")) return true;
  }
  return false;
}
