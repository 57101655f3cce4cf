import { wrapLine } from "../util/text-table.ts";
import { COMMON_FLAGS } from "./arguments.ts";
import type { Command, FlagSpec } from "./command.ts";

/** The page of `culprit --help`. */
export function overviewHelp(commands: readonly Command[]): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  return [
    "culprit: which preference pairs taught your model that?",
    "",
    "Usage: culprit COMMAND [ARGUMENTS] [FLAGS]",
    "",
    "Commands:",
    ...commands.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`),
    "",
    "culprit COMMAND --help explains one command; culprit --version prints the version.",
    "stdout carries the result (--json for machines), stderr progress and warnings.",
    "Exit status: 0 done, 1 failed, 2 bad usage or input, 130 and 143 stopped by SIGINT and SIGTERM.",
    "",
  ].join("\n");
}

/** The page of `culprit COMMAND --help`. */
export function commandHelp(command: Command): string {
  const flags: [string, FlagSpec][] = [
    ...Object.entries(command.flags),
    ...Object.entries<FlagSpec>(COMMON_FLAGS),
  ];
  const heads = flags.map(
    ([name, flag]) =>
      `${flag.short === undefined ? "" : `-${flag.short}, `}--${name}${flag.type === "string" ? ` ${flag.value ?? "TEXT"}` : ""}`,
  );
  const width = Math.max(...heads.map((head) => head.length));
  return [
    `culprit ${command.name}: ${command.summary}`,
    "",
    `Usage: culprit ${command.name} ${command.positionals} [FLAGS]`.replaceAll("  ", " "),
    "",
    command.description.trim(),
    "",
    "Flags:",
    ...flags.map(([, flag], i) => {
      const [first = "", ...rest] = wrapLine(flag.describe, Math.max(96 - width, 30));
      const indent = " ".repeat(width + 4);
      return [`  ${heads[i]!.padEnd(width)}  ${first}`, ...rest.map((line) => indent + line)].join(
        "\n",
      );
    }),
    "",
  ].join("\n");
}
