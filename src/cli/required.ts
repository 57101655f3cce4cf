import { ConfigError } from "../util/errors.ts";
import type { ParsedArguments } from "./command.ts";

/** The value of a flag that must be given; throws ConfigError naming command and flag. */
export function requiredText(args: ParsedArguments, command: string, flag: string): string {
  const word = args.text(flag);
  if (word === undefined || word === "") {
    throw new ConfigError(`${command}: --${flag} is missing`, {
      hint: `culprit ${command} --help lists the flags.`,
    });
  }
  return word;
}

/** At least one positional argument; throws ConfigError saying what it should be. */
export function requiredPositionals(
  args: ParsedArguments,
  command: string,
  what: string,
): readonly string[] {
  if (args.positionals.length === 0) {
    throw new ConfigError(`${command}: expected ${what}, got none`, {
      hint: `culprit ${command} --help shows an example.`,
    });
  }
  return args.positionals;
}

/** Exactly one positional argument; throws ConfigError saying what it should be. */
export function onlyPositional(args: ParsedArguments, command: string, what: string): string {
  const [first, second] = requiredPositionals(args, command, what);
  if (first === undefined || second !== undefined) {
    throw new ConfigError(
      `${command}: expected ${what}, got ${args.positionals.length} arguments`,
      {
        hint: `culprit ${command} --help shows an example.`,
      },
    );
  }
  return first;
}
