import { typeError } from "./python-error.ts";
import { Callable, type Keywords, type Value } from "./values.ts";

export const NO_KEYWORDS: Keywords = new Map();

/**
 * The parameters of a function, separated by blanks: "old new count?". Those with a question mark may be left out. Behind a "/" they
 * can be given by name as well; without one, none can.
 */
export type Parameters = string;

/** Arguments in the order of the parameters, undefined where one was left out. Throws a TypeError as Python does. */
export function bindArguments(
  name: string,
  parameters: Parameters,
  args: readonly Value[],
  keywords: Keywords,
): (Value | undefined)[] {
  const words = parameters.split(" ").filter((word) => word !== "");
  const slash = words.indexOf("/");
  const all = words.filter((word) => word !== "/");
  const names = all.map((word) => word.replace("?", ""));
  if (args.length > names.length) {
    throw typeError(`${name}() takes at most ${names.length} arguments (${args.length} given)`);
  }
  const bound: (Value | undefined)[] = names.map((_, i) => args[i]);
  for (const [key, value] of keywords) {
    const index = slash < 0 ? -1 : names.indexOf(key, slash);
    if (index < 0) throw typeError(`${name}() got an unexpected keyword argument '${key}'`);
    if (bound[index] !== undefined)
      throw typeError(`${name}() got multiple values for argument '${key}'`);
    bound[index] = value;
  }
  const lacking = all.findIndex((word, i) => !word.endsWith("?") && bound[i] === undefined);
  if (lacking >= 0) throw typeError(`${name}() missing required argument: '${names[lacking]}'`);
  return bound;
}

/** A function of Python with its parameters. */
export function native(
  name: string,
  parameters: Parameters,
  run: (...args: (Value | undefined)[]) => Value,
): Callable {
  return new Callable(name, (args, keywords) =>
    run(...bindArguments(name, parameters, args, keywords)),
  );
}
