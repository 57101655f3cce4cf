/**
 * @file Artefacts: what one step of the work writes and another reads. Each has one schema, one reader and one writer, so that a file that
 * was cut, edited or made by another version is an error that names it, never a figure.
 */
import { readFile } from "node:fs/promises";

import { z } from "zod";

import { writeFileAtomic } from "./atomic-file.ts";
import { FormatError } from "./errors.ts";
import { expectKeysOnce } from "./json-scan.ts";
import { describeReadFault, ifMissing } from "./read-fault.ts";

/** A file or folder that a step leaves behind for others. */
export interface Artifact<T> {
  /** What it is called in a folder of its own: `ranking.parquet`, `vectors`. */
  readonly name: string;
  /** Every file that is written for one at `path`, companions included. */
  files(path: string): readonly string[];
  /** Throws FormatError naming the file where it is not one. */
  read(path: string): Promise<T>;
}

/** An artefact that is one file or folder with a reader of its own. */
export function fileArtifact<T>(name: string, read: (path: string) => Promise<T>): Artifact<T> {
  return { name, files: (path) => [path], read };
}

/** What a schema lets through, read-only all the way down. */
export type Plain<S extends z.ZodType> = Fixed<z.output<S>>;
/** What people may leave out left out. */
export type PlainInput<S extends z.ZodType> = Fixed<z.input<S>>;
type Fixed<T> = T extends object ? { readonly [K in keyof T]: Fixed<T[K]> } : T;

/** A whole number from 0. */
export const countSchema = z.int().nonnegative();
/** How many of each. */
export const countsSchema = z.record(z.string(), countSchema);

/** An artefact that is one JSON file. */
export interface JsonArtifact<T> extends Artifact<T> {
  /** Only checks. */
  readonly schema: z.ZodType<T>;
  /** Undefined where there is no such file. */
  find(path: string): Promise<T | undefined>;
  /** Whole or not at all. */
  write(path: string, value: T): Promise<void>;
}

export interface JsonArtifactOptions {
  /** Default 2; 0: one line. */
  readonly indent?: number | undefined;
  /** What to do where a file is not one. */
  readonly hint?: string | undefined;
}

/**
 * A JSON file called `name` unless the user names it; `what` stands in errors: "the report of a ranking". The schema only checks: values
 * are read in the order in which they were written, without defaults.
 */
export function jsonArtifact<S extends z.ZodType>(
  name: string,
  what: string,
  schema: S,
  { indent = 2, hint = "Make the file again." }: JsonArtifactOptions = {},
): JsonArtifact<Plain<S>> {
  const parse = (path: string, text: string): Plain<S> => {
    const fault = (got: string, cause: unknown): FormatError =>
      new FormatError(`${path}: expected ${what}, got ${got}`, { hint, cause });
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw fault("text that is not JSON", cause);
    }
    expectKeysOnce(path, text, value);
    const { success, error } = schema.safeParse(value);
    if (success) return value as Plain<S>; // just checked
    const [issue] = error.issues;
    const at = issue!.path.join(".") || "its top";
    throw fault(`another value at ${at} (${issue!.message})`, error);
  };
  return {
    name,
    schema: schema as unknown as z.ZodType<Plain<S>>, // the same values, not to be changed
    files: (path) => [path],
    read: async (path) => {
      const text = await readFile(path, "utf8").catch((error: unknown) => {
        throw describeReadFault(path, error);
      });
      return parse(path, text);
    },
    find: async (path) => {
      const text = await readFile(path, "utf8").catch(ifMissing);
      return text === undefined ? undefined : parse(path, text);
    },
    write: (path, value) => writeFileAtomic(path, `${JSON.stringify(value, undefined, indent)}\n`),
  };
}
