/**
 * @file Artefacts: what one step of the work writes and another reads. Each has one schema, one reader and one writer, so that a file that
 * was cut, edited or made by another version is an error that names it, never a figure.
 */
import { readFile } from "node:fs/promises";

import type { z } from "zod";

import { writeFileAtomic } from "./atomic-file.ts";
import { FormatError } from "./errors.ts";

/** A file or folder that a step leaves behind for others. */
export interface Artifact<T> {
  /** What it is called in a folder of its own: `ranking.parquet`, `vectors`. */
  readonly name: string;
  /** Every file that is written for one at `path`, companions included. */
  files(path: string): readonly string[];
  /** Throws FormatError naming the file where it is not one. */
  read(path: string): Promise<T>;
}

/** An artefact that is one JSON file. */
export interface JsonArtifact<T> extends Artifact<T> {
  readonly schema: z.ZodType<T>;
  /** Whole or not at all. */
  write(path: string, value: T): Promise<void>;
}

/** A JSON file called `name` unless the user names it; `what` stands in errors: "the report of a ranking". */
export function jsonArtifact<T>(
  name: string,
  what: string,
  schema: z.ZodType<T>,
  { indent = 2 }: { readonly indent?: number | undefined } = {},
): JsonArtifact<T> {
  return {
    name,
    schema,
    files: (path) => [path],
    read: async (path) => parse(path, what, schema, await readFile(path, "utf8")),
    write: (path, value) => writeFileAtomic(path, `${JSON.stringify(value, undefined, indent)}\n`),
  };
}

function parse<T>(path: string, what: string, schema: z.ZodType<T>, text: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FormatError(`${path}: expected ${what}, got text that is not JSON`, { cause });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new FormatError(
    `${path}: expected ${what}, got another value at ${issue!.path.join(".") || "its top"} (${issue!.message})`,
    { hint: "Make the file again.", cause: parsed.error },
  );
}
