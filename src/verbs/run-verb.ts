/** @file Runs a verb on inputs that are named by paths: what its command and a library's caller do. */
import { existsSync, realpathSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

import type { z } from "zod";

import { ConfigError } from "../util/errors.ts";
import type { Input, Inputs, OpenWork, Outputs, Places, Verb, Work } from "./verb.ts";

/** The inputs of a verb by name: a path or several, and how they are read. */
export interface GivenInput {
  readonly paths: readonly string[];
  readonly settings?: unknown;
}

/** What runs a verb may use, without places and costs. */
export interface RunVerbOptions extends Omit<Work, "out"> {
  /** By the outputs' names. */
  readonly out: Readonly<Record<string, string | undefined>>;
}

/**
 * Opens the inputs, checks where the outputs go, runs the verb and writes what is its result. Throws ConfigError for an input or output
 * that is missing, that would be overwritten without force, or that is both.
 */
export async function runVerb<I extends Inputs, S extends z.ZodObject, O extends Outputs, R>(
  verb: Verb<I, S, O, R>,
  given: Readonly<Record<string, GivenInput | undefined>>,
  settings: z.output<S>,
  options: RunVerbOptions,
): Promise<R> {
  const places = withBeside(verb.outputs, options.out);
  const named = Object.entries(given).flatMap(([name, each]) =>
    (each?.paths ?? []).filter((path) => verb.inputs[name]?.isFile?.(path) !== false),
  );
  checkOutputs(verb.outputs, { ...options, out: places }, named);
  const opened = await openInputs(verb.inputs, given, options);
  checkOutputs(verb.outputs, { ...options, out: places }, readFiles(verb.inputs, opened));
  const out = places as Places<O>; // checked above: required ones are there
  const result = await verb.run(opened as Parameters<typeof verb.run>[0], settings, {
    ...options,
    out,
  });
  await writeResult(verb.outputs, places, result);
  return result;
}

/** What running the verb would take. */
export async function estimateVerb(
  verb: Verb,
  given: Readonly<Record<string, GivenInput | undefined>>,
  settings: unknown,
  options: RunVerbOptions,
): Promise<object> {
  const out = withBeside(verb.outputs, options.out);
  const opened = await openInputs(verb.inputs, given, options);
  return verb.estimate!.of(opened, settings as z.output<z.ZodObject>, { ...options, out }); // as read
}

/** The places with those that lie beside `out` unless they are named. */
export function withBeside(
  outputs: Outputs,
  places: RunVerbOptions["out"],
): Readonly<Record<string, string | undefined>> {
  const { out } = places;
  if (out === undefined) return places;
  const beside = Object.entries(outputs).flatMap(([name, each]) => {
    const path = each.shared === undefined ? each.beside?.(out) : `${out}${each.shared}`;
    return path === undefined || places[name] !== undefined ? [] : [[name, path] as const];
  });
  return { ...places, ...Object.fromEntries(beside) };
}

/** Writes the outputs that are the result itself. */
export async function writeResult(
  outputs: Outputs,
  out: Readonly<Record<string, string | undefined>>,
  result: unknown,
): Promise<void> {
  for (const [name, { isResult, artifact }] of Object.entries(outputs)) {
    const path = out[name];
    if (isResult === true && path !== undefined) await artifact.write?.(path, result);
  }
}

async function openInputs(
  inputs: Inputs,
  given: Readonly<Record<string, GivenInput | undefined>>,
  work: OpenWork,
): Promise<Record<string, unknown>> {
  const opened: Record<string, unknown> = {};
  for (const [name, input] of Object.entries(inputs)) {
    const { paths = [], settings } = given[name] ?? {};
    if (paths.length === 0) {
      if (input.isOptional === true) continue;
      throw new ConfigError(`${name}: expected ${input.describe}, got none`);
    }
    opened[name] = await input.open(paths, readSettings(input, settings), work);
  }
  return opened;
}

function readSettings(input: Input, settings: unknown): z.output<z.ZodObject> {
  return input.settings?.parse(settings ?? {}) ?? {};
}

function readFiles(inputs: Inputs, opened: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(opened).flatMap(([name, value]) => inputs[name]?.files?.(value) ?? []);
}

/** Throws ConfigError where an output is missing, misnamed, there already, or one of the files read. */
function checkOutputs(
  outputs: Outputs,
  { out, isForced }: Pick<RunVerbOptions, "out" | "isForced">,
  inputs: readonly string[],
): void {
  const read = new Set(inputs.map(realPath));
  const seen = new Set<string>();
  for (const [name, output] of Object.entries(outputs)) {
    const path = out[name];
    if (path === undefined) continue;
    const { endings, isResumable, shared, artifact } = output;
    if (endings !== undefined && !endings.some((ending) => path.endsWith(ending))) {
      throw new ConfigError(
        `${name}: expected a name ending in ${endings.join(" or ")}, got "${path}"`,
      );
    }
    const files = artifact.files(path);
    const both = files.find((file) => read.has(realPath(file)));
    if (both !== undefined) {
      throw new ConfigError(
        `${name}: expected another file than the input, ${both} would be replaced`,
        { hint: "Choose another name for what is written." },
      );
    }
    if (seen.has(realPath(path))) {
      throw new ConfigError(
        `${name}: expected another file than the other outputs, got ${path} twice`,
      );
    }
    seen.add(realPath(path));
    if (isResumable !== true && shared === undefined) expectFree(name, files, isForced);
  }
}

function expectFree(name: string, files: readonly string[], isForced: boolean): void {
  const folder = dirname(files[0]!);
  if (!existsSync(folder)) {
    throw new ConfigError(`${folder}: no such folder for ${name}`, {
      hint: "Make it first, or choose another place.",
    });
  }
  const taken = files.find((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory());
  if (taken !== undefined) {
    throw new ConfigError(`${taken}: expected a file for ${name}, got a folder`, {
      hint: `Name a file in it, ${join(taken, "NAME")} say.`,
    });
  }
  const existing = isForced ? undefined : files.find((path) => existsSync(path));
  if (existing !== undefined) {
    throw new ConfigError(`${existing}: exists already`, {
      hint: "Choose another place, or replace it with --force.",
    });
  }
}

/** By another name or link too. */
function realPath(path: string): string {
  return existsSync(path) ? realpathSync(path) : resolve(path);
}
