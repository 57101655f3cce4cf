import { type Parameters, native } from "./arguments.ts";
import type { Callable, Value } from "./values.ts";

/** Filters and tests take the value first, then what stands in their brackets. */
export type Table = ReadonlyMap<string, Callable>;

/** Builds a table from each name's parameters (see arguments.ts) and function. */
export function tableOf(
  entries: Readonly<Record<string, readonly [Parameters, (...args: never[]) => Value]>>,
): Table {
  return new Map(
    Object.entries(entries).map(([name, [parameters, run]]) => [
      name,
      // bindArguments gives what the parameters say, which is what the function is written for.
      native(name, parameters, run as (...args: (Value | undefined)[]) => Value),
    ]),
  );
}
