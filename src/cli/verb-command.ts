/** @file The command of a verb: flags, help, reading, running and printing, all from its declaration. */
import { NO_METER } from "../engine/cost.ts";
import { ENGINES } from "../engine/engines.ts";
import { ConfigError } from "../util/errors.ts";
import { kebab } from "../verbs/list-settings.ts";
import {
  estimateVerb,
  type GivenInput,
  runVerb,
  type RunVerbOptions,
  withBeside,
} from "../verbs/run-verb.ts";
import { renameSetting } from "../verbs/setting-errors.ts";
import type { Places, Verb } from "../verbs/verb.ts";
import { missingFlag } from "./arguments.ts";
import { asJson, type Command, type CommandContext, type ParsedArguments } from "./command.ts";
import { DRY_RUN, readSettings, type VerbFlags, verbFlags } from "./verb-flags.ts";

/** Makes the command of a verb. */
export function verbCommand(verb: Verb): Command {
  // Made when they are asked for: of all the commands, one is run.
  let made: VerbFlags | undefined;
  const flags = (): VerbFlags => (made ??= verbFlags(verb));
  const words = Object.values(verb.inputs).filter(({ isPositional }) => isPositional === true);
  const positionals = words
    .map(({ placeholder, isMany, isOptional }) => {
      const shown = `${placeholder}${isMany === true ? "..." : ""}`;
      return isOptional === true ? `[${shown}]` : shown;
    })
    .join(" ");
  return {
    name: verb.name,
    summary: verb.summary,
    positionals,
    description: verb.about,
    get flags() {
      return flags().specs;
    },
    run: (args, context) =>
      runCommand(verb, flags(), args, context).catch((error: unknown) => {
        // Errors of verbs name settings, inputs and outputs; the user knows them as flags.
        throw renameSetting(error, verb, (name, setting) =>
          setting === undefined && verb.inputs[name]?.isPositional === true
            ? name
            : `--${setting?.flag ?? kebab(name)}`,
        );
      }),
  };
}

async function runCommand(
  verb: Verb,
  flags: VerbFlags,
  args: ParsedArguments,
  context: CommandContext,
): Promise<void> {
  // Everything that can be wrong with the words is found before anything is opened.
  const given = readInputs(verb, flags, args);
  const isDry = verb.estimate !== undefined && args.has(DRY_RUN);
  const places = readOutputs(verb, args, isDry);
  const named = Object.entries({ ...given, ...places }).filter(([, each]) => each !== undefined);
  const settings = readSettings(
    args,
    verb.name,
    verb.settings,
    flags.ofSettings,
    (found) => verb.check?.(found, new Set(named.map(([name]) => name))) ?? [],
  );
  const print = (value: unknown, show: () => string): void =>
    context.print(args.has("json") ? asJson(value) : show());
  const shown: { end(): void }[] = [];
  try {
    const options: RunVerbOptions = {
      out: places,
      isForced: "force" in flags.specs && args.has("force"),
      owner: undefined,
      engines: ENGINES,
      signal: context.signal,
      download: { signal: context.signal, progress: context.progress("download", "bytes") },
      nameOf: (path) => path,
      note: context.log,
      warn: context.warn,
      progress: (unit) => {
        const progress = context.progress(verb.name, unit);
        shown.push(progress);
        return progress;
      },
      cost: NO_METER,
    };
    if (isDry) {
      const estimate = await estimateVerb(verb, given, settings, options);
      return print(estimate, () => verb.estimate!.show(estimate as never)); // what `of` gave
    }
    const result = await runVerb(verb, given, settings, options);
    for (const each of shown.splice(0)) each.end();
    for (const line of verb.warnings?.(result) ?? []) context.warn(line);
    const out = withBeside(verb.outputs, places) as Places<typeof verb.outputs>; // required ones are there
    print(result, () => verb.show(result, out));
    const fault = verb.fault?.(result, settings);
    if (fault !== undefined) throw fault;
  } finally {
    for (const each of shown) each.end();
  }
}

function readInputs(
  verb: Verb,
  { ofInputs }: VerbFlags,
  args: ParsedArguments,
): Record<string, GivenInput | undefined> {
  const given: Record<string, GivenInput | undefined> = {};
  const expected = (what: string, got: string): ConfigError =>
    new ConfigError(`${verb.name}: expected ${what}, got ${got}`, {
      hint: `culprit ${verb.name} --help shows an example.`,
    });
  let words = args.positionals;
  for (const [name, input] of Object.entries(verb.inputs)) {
    const { isPositional = false, isMany = false, isOptional = false, describe } = input;
    const all = isPositional ? words : args.texts(kebab(name));
    const paths = isMany ? all : isPositional ? all.slice(0, 1) : all.slice(-1);
    if (isPositional) words = words.slice(paths.length);
    const isMissing = paths.length === 0 || (!isPositional && paths.includes(""));
    if (isMissing && !isOptional) {
      throw isPositional
        ? expected(lowerFirst(describe), "none")
        : missingFlag(verb.name, kebab(name));
    }
    if (paths.length === 0) continue;
    const settings =
      input.settings && readSettings(args, verb.name, input.settings, ofInputs[name]!);
    given[name] = { paths, settings };
  }
  expectRead(given, verb, ofInputs, args);
  if (words.length === 0) return given;
  const wanted = Object.values(verb.inputs).find(({ isPositional }) => isPositional === true);
  const what = wanted === undefined ? "flags only" : lowerFirst(wanted.describe);
  throw expected(what, `${args.positionals.length} arguments`);
}

/** Throws ConfigError for a flag that says how an input is read which is not there: it would be passed over. */
function expectRead(
  given: Readonly<Record<string, GivenInput | undefined>>,
  verb: Verb,
  ofInputs: VerbFlags["ofInputs"],
  args: ParsedArguments,
): void {
  const inputs = Object.entries(ofInputs);
  const isRead = (flag: string): boolean =>
    inputs.some(([name, settings]) => name in given && settings.some((each) => each.flag === flag));
  for (const [name, settings] of inputs) {
    const unread = settings.find(({ flag }) => args.given.includes(flag) && !isRead(flag));
    if (unread === undefined) continue;
    const { isPositional, placeholder } = verb.inputs[name]!; // lists are of these
    const wanted = isPositional === true ? placeholder : `--${kebab(name)}`;
    throw new ConfigError(`--${unread.flag}: expected ${wanted} with it, got none`, {
      hint: `--${unread.flag} means nothing here: leave it out.`,
    });
  }
}

function readOutputs(
  verb: Verb,
  args: ParsedArguments,
  isDry: boolean,
): Record<string, string | undefined> {
  const places: Record<string, string | undefined> = {};
  for (const [name, { isOptional, shared }] of Object.entries(verb.outputs)) {
    const path = args.text(kebab(name));
    const isNeeded = isOptional !== true && shared === undefined && !isDry;
    if ((path === undefined || path === "") && isNeeded) {
      throw missingFlag(verb.name, kebab(name));
    }
    places[name] = path;
  }
  return places;
}

/** `Files of …` as it stands within a sentence, without its stop. */
const lowerFirst = (text: string): string =>
  `${text.slice(0, 1).toLowerCase()}${text.slice(1)}`.replace(/\.$/, "");
