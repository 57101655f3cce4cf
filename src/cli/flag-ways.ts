import { ConfigError } from "../util/errors.ts";
import type { ParsedArguments } from "./command.ts";

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
