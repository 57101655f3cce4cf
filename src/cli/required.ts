import { ConfigError } from "../util/errors.ts";
import type { ParsedArguments } from "./command.ts";

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
