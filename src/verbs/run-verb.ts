/** @file Runs a verb on inputs that are named by paths: what its command and a library's caller do. */
import type { z } from "zod";

import { ConfigError } from "../util/errors.ts";
import { checkOutputs } from "./check-outputs.ts";
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
  const { isForced } = options;
  checkOutputs(verb.outputs, places, { isForced, inputs: named });
  const opened = await openInputs(verb.inputs, given, options);
  checkOutputs(verb.outputs, places, { isForced, inputs: readFiles(verb.inputs, opened) });
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
