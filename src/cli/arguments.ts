import { parseArgs } from "node:util";

import { ConfigError } from "../util/errors.ts";
import { nearest } from "../util/nearest.ts";
import type { Command, FlagSpec, ParsedArguments } from "./command.ts";

/** Flags that every command has. */
export const COMMON_FLAGS = {
  json: { type: "boolean", describe: "Print the result as JSON on stdout." },
  quiet: { type: "boolean", describe: "No progress on stderr; errors and warnings only." },
  debug: { type: "boolean", describe: "Show the stack of an error." },
  help: { type: "boolean", short: "h", describe: "Show this help." },
} as const;

/** Parses the words after the command's name; an unknown flag names the nearest known one. */
export function parseArguments(command: Command, words: readonly string[]): ParsedArguments {
  const flags = { ...command.flags, ...COMMON_FLAGS };
  let parsed;
  try {
    parsed = parseArgs({
      args: [...words],
      options: Object.fromEntries(
        Object.entries<FlagSpec>(flags).map(([name, { type, short }]) => [
          name,
          { type, multiple: true, ...(short !== undefined && { short }) },
        ]),
      ),
      allowPositionals: true,
      strict: true,
    });
  } catch (error) {
    throw describeParseError(error, command.name, Object.keys(flags), words);
  }
  const values = parsed.values as Record<string, (string | boolean)[] | undefined>;
  const known = (flag: string): (string | boolean)[] => {
    if (!(flag in flags)) throw new Error(`internal: ${command.name} reads undeclared --${flag}`);
    return values[flag] ?? [];
  };
  const texts = (flag: string): string[] => known(flag).filter((word) => typeof word === "string");
  return {
    positionals: parsed.positionals,
    given: Object.keys(values),
    text: (flag) => texts(flag).at(-1),
    texts,
    list: (flag) =>
      texts(flag)
        .flatMap((word) => word.split(","))
        .map((part) => part.trim())
        .filter((part) => part !== ""),
    has: (flag) => known(flag).at(-1) === true,
  };
}

function describeParseError(
  error: unknown,
  commandName: string,
  known: readonly string[],
  words: readonly string[],
): Error {
  if (!(error instanceof Error)) return new Error("internal: parseArgs threw a non-error");
  const lists = `culprit ${commandName} --help lists the flags.`;
  const fault = (message: string, hint = lists): ConfigError =>
    new ConfigError(message, { hint, cause: error });
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ERR_PARSE_ARGS_UNKNOWN_OPTION") {
    const unknown = /'(-{1,2}[^' ]*)'/.exec(error.message)?.[1] ?? words[0] ?? "";
    const near = nearest(unknown.replace(/^-+/, ""), known);
    const meant = near === undefined ? "" : `Did you mean --${near}? `;
    return fault(`${commandName}: unknown flag ${unknown}`, `${meant}${lists}`);
  }
  const flag = /^Option '(--[^' ]+)' argument is ambiguous/.exec(error.message)?.[1];
  const value = words.find((word, i) => words[i - 1] === flag && /^-./.test(word));
  if (flag !== undefined && value !== undefined) {
    const isNumber = /^-[\d.]/.test(value);
    return fault(
      `${flag}: expected a value, got "${value}"`,
      isNumber ? `A value that begins with a minus is written ${flag}=${value}.` : lists,
    );
  }
  const isOfWords = code?.startsWith("ERR_PARSE_ARGS") === true;
  return isOfWords ? fault(`${commandName}: ${error.message}`) : error;
}

/** The value of a flag that must be given; throws ConfigError naming command and flag. */
export function requiredText(args: ParsedArguments, command: string, flag: string): string {
  const word = args.text(flag);
  if (word === undefined || word === "") {
    throw missingFlag(command, flag);
  }
  return word;
}

/** The error where a flag is not given that must be. */
export function missingFlag(command: string, flag: string): ConfigError {
  return new ConfigError(`${command}: --${flag} is missing`, {
    hint: `culprit ${command} --help lists the flags.`,
  });
}

/** Exactly one positional argument; throws ConfigError saying what it should be. */
export function onlyPositional(args: ParsedArguments, command: string, what: string): string {
  const [first, second] = args.positionals;
  if (first !== undefined && second === undefined) return first;
  const got = first === undefined ? "none" : `${args.positionals.length} arguments`;
  throw new ConfigError(`${command}: expected ${what}, got ${got}`, {
    hint: `culprit ${command} --help shows an example.`,
  });
}

/** One way of using a command, or a part of it that is on or off. */
export interface FlagWay {
  /** As errors call it: `--schema`, `a run`. */
  readonly name: string;
  readonly isOn: boolean;
  /** Flags that mean something in this way; a flag may be in several. */
  readonly flags: readonly string[];
}

/**
 * Throws ConfigError naming a flag that was given and belongs only to ways that are off: it would be passed over. Flags of no way mean
 * something in all of them.
 */
export function expectFlagsOfWay(args: ParsedArguments, ways: readonly FlagWay[]): void {
  for (const flag of args.given) {
    const owners = ways.filter(({ flags }) => flags.includes(flag));
    if (owners.length === 0 || owners.some(({ isOn }) => isOn)) continue;
    const got = ways.find(({ isOn }) => isOn)?.name ?? "none";
    throw new ConfigError(
      `--${flag}: expected ${owners.map(({ name }) => name).join(" or ")} with it, got ${got}`,
      { hint: `--${flag} means nothing here: leave it out.` },
    );
  }
}
