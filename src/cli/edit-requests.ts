import { EDIT_ACTIONS, type EditPick, type EditSettings } from "../edit/edit.ts";
import { ConfigError } from "../util/errors.ts";
import type { ParsedArguments } from "./command.ts";
import { expectFlagsOfWay } from "./flag-ways.ts";

/** One edit that the flags of `culprit edit` ask for. */
export interface EditRequest {
  /** `filter-100`, `random-swap-30`: the name of its folder beside others. */
  readonly name: string;
  /** The settings, once the sources of the data are known. */
  settingsFor(groups: readonly string[]): EditSettings;
}

/** Reads the flags: one edit for each k. Throws ConfigError where they do not fit together. */
export function readEditRequests(args: ParsedArguments): readonly EditRequest[] {
  const action = args.choice("action", EDIT_ACTIONS);
  if (action === undefined) {
    throw new ConfigError(`edit: --action is missing, one of ${EDIT_ACTIONS.join(", ")}`);
  }
  const isSource = action === "drop-source";
  expectFlagsOfWay(args, [
    { name: "--action drop-source", isOn: isSource, flags: ["sources", "min-lift"] },
  ]);
  expectFlagsOfWay(args, [
    { name: "--random", isOn: args.has("random"), flags: ["seed", "any-source"] },
  ]);
  const isNamed = args.texts("sources").some((word) => word !== "auto");
  const tops = [...new Set(args.list("top").map(parseTop))];
  if (tops.length === 0 && !isNamed) throw new ConfigError("edit: --top is missing");
  if (tops.length > 0 && isNamed) {
    throw new ConfigError("--top: expected none beside named --sources, which are dropped whole");
  }
  const pick = readPick(args);
  const minLift = args.number("min-lift", { min: 0 });
  const seed = args.integer("seed");
  return (isNamed ? [undefined] : tops).map((top) => ({
    name: [
      ...(pick === "chosen" ? [] : ["random"]),
      action,
      ...(top === undefined ? [] : [top]),
    ].join("-"),
    settingsFor: (groups) => {
      const sources = isNamed ? splitNames(args.texts("sources"), groups) : ("auto" as const);
      return { action, pick, top, seed, minLift, ...(isSource ? { sources } : {}) };
    },
  }));
}

function readPick(args: ParsedArguments): EditPick {
  if (!args.has("random")) return "chosen";
  return args.has("any-source") ? "random-any" : "random";
}

/** A name with a comma is taken whole where the data has it. */
function splitNames(words: readonly string[], groups: readonly string[]): string[] {
  const known = new Set(groups);
  return words.flatMap((word) =>
    known.has(word) ? [word] : word.split(",").map((part) => part.trim()),
  );
}

function parseTop(word: string): number {
  const value = /^\d+$/.test(word) ? Number(word) : Number.NaN;
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new ConfigError(`--top: expected numbers of pairs like 100 or 100,1000, got "${word}"`);
}
