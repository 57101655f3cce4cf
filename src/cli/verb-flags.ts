/** @file The flags of a verb, from its declaration: what they are called, what help says of them, and the settings that their words give. */
import type { z } from "zod";

import { ConfigError } from "../util/errors.ts";
import { isSecret, valueAt } from "../util/schema-errors.ts";
import { describeExpected, type JsonSchema, jsonSchemaOf, metaOf } from "../verbs/json-schema.ts";
import { describeSetting, kebab, listSettings, type Setting } from "../verbs/list-settings.ts";
import type { Contradiction, Input, Output, Verb } from "../verbs/verb.ts";
import { missingFlag } from "./arguments.ts";
import type { FlagSpec, ParsedArguments } from "./command.ts";

/** Shows what a verb would take. */
export const DRY_RUN = "dry-run";

/** A verb's flags and what each stands for. */
export interface VerbFlags {
  readonly specs: Readonly<Record<string, FlagSpec>>;
  /** By input's name, how it is read. */
  readonly ofInputs: Readonly<Record<string, readonly Setting[]>>;
  readonly ofSettings: readonly Setting[];
}

/** Lists the flags of a verb: inputs, outputs, settings. */
export function verbFlags(verb: Verb): VerbFlags {
  const specs: Record<string, FlagSpec> = {};
  const add = (flag: string, spec: FlagSpec): void => {
    if (flag in specs) throw new Error(`internal: ${verb.name} has two flags --${flag}`);
    specs[flag] = spec;
  };
  const ofInputs: Record<string, readonly Setting[]> = {};
  for (const [name, input] of Object.entries(verb.inputs)) {
    if (input.isPositional !== true) add(kebab(name), inputSpec(input));
  }
  for (const [name, output] of Object.entries(verb.outputs)) add(kebab(name), outputSpec(output));
  const isReplaced = Object.values(verb.outputs).some(({ isResumable }) => isResumable !== true);
  if (isReplaced || verb.force !== undefined) {
    add("force", {
      type: "boolean",
      describe: verb.force ?? "Replace what is there under the names of the outputs.",
    });
  }
  if (verb.estimate !== undefined) {
    add(DRY_RUN, {
      type: "boolean",
      describe: "Ask and write nothing: estimate requests, tokens and money.",
    });
  }
  const ofSettings = listSettings(jsonSchemaOf(verb.settings));
  for (const each of ofSettings) add(each.flag, settingSpec(each));
  for (const [name, { settings }] of Object.entries(verb.inputs)) {
    ofInputs[name] = settings === undefined ? [] : listSettings(jsonSchemaOf(settings));
    // Several inputs may be read in one way: two checkpoints on one engine.
    for (const each of ofInputs[name]) {
      if (!(each.flag in specs)) add(each.flag, settingSpec(each));
    }
  }
  return { specs, ofInputs, ofSettings };
}

const inputSpec = ({ placeholder, describe, isMany, isOptional }: Input): FlagSpec => ({
  type: "string",
  value: placeholder,
  describe: `${describe}${isOptional === true ? " Default: none." : " Required."}`,
  ...(isMany === true && { multiple: true }),
});

const outputSpec = ({ placeholder, describe, isOptional, shared }: Output): FlagSpec => ({
  type: "string",
  value: placeholder,
  describe: `${describe} ${shared !== undefined ? `Default: OUT${shared}.` : isOptional === true ? "Default: none." : "Required."}`,
});

/** The flags of settings by name. */
export function settingFlags(settings: readonly Setting[]): Record<string, FlagSpec> {
  return Object.fromEntries(settings.map((each) => [each.flag, settingSpec(each)]));
}

function settingSpec(setting: Setting): FlagSpec {
  const { schema } = setting;
  const describe = describeSetting(setting);
  if (schema.type === "boolean") return { type: "boolean", describe };
  return {
    type: "string",
    value: metaOf(schema).placeholder ?? placeholderOf(schema),
    describe,
    ...(isList(schema) && { multiple: true }),
  };
}

function placeholderOf(schema: JsonSchema): string {
  if (schema.enum !== undefined) return "NAME";
  if (isList(schema)) return "LIST";
  return schema.type === "integer" ? "N" : schema.type === "number" ? "X" : "VALUE";
}

/** The settings that the flags give, checked. Throws ConfigError naming the flag. */
export function readSettings<S extends z.ZodObject>(
  args: ParsedArguments,
  command: string,
  schema: S,
  settings: readonly Setting[],
  check?: (found: z.output<S>) => readonly Contradiction[],
): z.output<S> {
  const given = settings.filter(({ flag }) => args.given.includes(flag));
  const chosen = new Map(
    settings
      .filter(isChoice(settings))
      .map((each) => [each.path.join("."), choose(each, given, args)]),
  );
  const raw: Record<string, unknown> = {};
  for (const each of given) {
    expectMeaning(each, settings, given, chosen);
    put(raw, each.path, each.isSwitch === true ? {} : readWords(each.schema, each.flag, args));
  }
  for (const [path, value] of chosen) {
    const parts = path.split(".");
    if (value !== undefined && holds(raw, parts.slice(0, -1))) put(raw, parts, value);
  }
  const parsed = schema.safeParse(raw);
  if (!parsed.success) throw fault(parsed.error.issues[0]!, args, command, settings, raw);
  const [wrong] = check?.(parsed.data) ?? [];
  if (wrong === undefined) return parsed.data;
  throw new ConfigError(`${flagAt(settings, wrong.path)}: ${wrong.message}`);
}

const isChoice =
  (settings: readonly Setting[]) =>
  ({ path }: Setting): boolean =>
    settings.some(({ only }) => only?.path.join(".") === path.join("."));

/** What was said, or the only value that all given flags mean something with; undefined where nothing of the choice was given. */
function choose(
  choice: Setting,
  given: readonly Setting[],
  args: ParsedArguments,
): string | undefined {
  const said = args.text(choice.flag);
  if (said !== undefined) return said;
  const sets = given
    .filter(({ only }) => only?.path.join(".") === choice.path.join("."))
    .map(({ only }) => only!.values);
  const values = (choice.schema.enum ?? []).map(String);
  const fitting = values.filter((value) => sets.every((set) => set.includes(value)));
  const fallback = choice.schema.default;
  if (typeof fallback === "string" && fitting.includes(fallback)) return fallback;
  return sets.length === 0 ? undefined : (fitting[0] ?? values[0]);
}

/** Throws ConfigError for a flag that would be passed over: of another choice, or of a group that is not on. */
function expectMeaning(
  { flag, only, group, isSwitch }: Setting,
  settings: readonly Setting[],
  given: readonly Setting[],
  chosen: ReadonlyMap<string, string | undefined>,
): void {
  const hint = { hint: `--${flag} means nothing here: leave it out.` };
  const value = only && chosen.get(only.path.join("."));
  if (only !== undefined && value !== undefined && !only.values.includes(value)) {
    const choice = flagAt(settings, only.path);
    throw new ConfigError(
      `--${flag}: expected ${choice} ${only.values.join(" or ")} with it, got ${value}`,
      hint,
    );
  }
  if (group === undefined || isSwitch === true) return;
  const toggle = settings.find(
    (each) => each.isSwitch === true && each.group?.join() === group.join(),
  );
  if (toggle === undefined || given.includes(toggle)) return;
  throw new ConfigError(`--${flag}: expected --${toggle.flag} with it, got none`, hint);
}

const isList = (schema: JsonSchema): boolean =>
  schema.items !== undefined || (schema.anyOf ?? []).some(isList);

/** The value that a flag's words stand for; words that stand for nothing stay words, for the schema to refuse. */
function readWords(schema: JsonSchema, flag: string, args: ParsedArguments): unknown {
  if (schema.type === "boolean") return args.has(flag);
  const list = schema.items ?? schema.anyOf?.find(isList)?.items;
  // Any text that may be a list as well says itself what it is, 8,10-12 say.
  const isText = [schema, ...(schema.anyOf ?? [])].some(isAnyText);
  if (list === undefined || isText) return readWord(schema, args.text(flag)!);
  const words = metaOf(schema).isWhole === true ? args.texts(flag) : args.list(flag);
  const others = schema.anyOf?.filter((each) => each.items === undefined) ?? [];
  const [only] = words;
  if (words.length === 1 && others.length > 0) {
    const value = readWord({ anyOf: others }, only!);
    if (typeof value !== "string" || others.some((each) => admits(each, value))) return value;
  }
  return words.map((word) => readWord(list, word));
}

const isAnyText = (schema: JsonSchema): boolean =>
  schema.type === "string" && schema.enum === undefined && schema.const === undefined;

function readWord(schema: JsonSchema, word: string): unknown {
  const choices = schema.anyOf ?? [schema];
  if (choices.some((each) => admits(each, word))) return word;
  const isNumber = choices.some(({ type }) => type === "number" || type === "integer");
  const value = word.trim() === "" ? Number.NaN : Number(word);
  return isNumber && Number.isFinite(value) ? value : word;
}

const admits = (schema: JsonSchema, word: string): boolean =>
  schema.const === word || schema.enum?.includes(word) === true || isAnyText(schema);

function put(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [first, ...rest] = path;
  if (rest.length === 0) {
    const there = target[first!];
    // A switch says only that its group is there.
    target[first!] = isGroup(there) && isGroup(value) ? there : value;
    return;
  }
  const inner = target[first!];
  const group = isGroup(inner) ? inner : {};
  target[first!] = group;
  put(group, rest, value);
}

const isGroup = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const holds = (target: unknown, path: readonly string[]): boolean =>
  path.length <= 1 || (isGroup(target) && isGroup(target[path[0]!]));

function flagAt(settings: readonly Setting[], path: readonly PropertyKey[]): string {
  const names = path.filter((part) => typeof part === "string");
  const found = settings.find((each) => each.path.join(".") === names.join("."));
  return found === undefined ? names.join(".") : `--${found.flag}`;
}

function fault(
  issue: z.core.$ZodIssue,
  args: ParsedArguments,
  command: string,
  settings: readonly Setting[],
  raw: unknown,
): ConfigError {
  const names = issue.path.filter((part) => typeof part === "string");
  const setting = settings
    .filter((each) => each.path.every((part, i) => names[i] === part))
    .toSorted((a, b) => b.path.length - a.path.length)[0];
  if (setting === undefined) {
    // A whole group is missing: its first member that has to be given says so.
    const inner = settings.find(
      (each) => each.isRequired && names.every((part, i) => each.path[i] === part),
    );
    return missingFlag(command, inner?.flag ?? names.join("."));
  }
  if (!args.given.includes(setting.flag)) {
    // One that its group cannot do without is missed only by others of the group.
    const { group } = setting;
    const other = settings.find(
      (each) => group && each.group?.join() === group.join() && args.given.includes(each.flag),
    );
    if (other === undefined) return missingFlag(command, setting.flag);
    return new ConfigError(`--${other.flag}: expected --${setting.flag} with it, got none`, {
      hint: `culprit ${command} --help lists the flags.`,
    });
  }
  const value = valueAt(raw, issue.path);
  const inner = issue.path.length > names.length ? itemsOf(setting.schema) : setting.schema;
  const expected = issue.message.startsWith("expected") ? issue.message : describeExpected(inner);
  const word = typeof value === "string" ? value : (args.text(setting.flag) ?? "");
  const got = isSecret(setting.path) ? "another text" : `"${word}"`;
  // Of a list it says which part of the text is wrong.
  if (expected.includes("; got ")) return new ConfigError(`--${setting.flag}: ${expected}`);
  return new ConfigError(`--${setting.flag}: ${expected}, got ${got}`);
}

const itemsOf = (schema: JsonSchema): JsonSchema =>
  schema.items ?? schema.anyOf?.find(isList)?.items ?? schema;
