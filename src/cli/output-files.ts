import { existsSync, realpathSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

import { ConfigError } from "../util/errors.ts";

/**
 * Throws ConfigError where the folder of --out is missing, where one of the files is there and may not be replaced, or is one of the
 * `inputs` that the command reads.
 */
export function checkOutputFiles(
  paths: readonly [string, ...string[]],
  { isForced, inputs }: { readonly isForced: boolean; readonly inputs: readonly string[] },
): void {
  expectOtherFiles(paths, inputs);
  const folder = dirname(paths[0]);
  if (!existsSync(folder)) {
    throw new ConfigError(`${folder}: no such folder for --out`, {
      hint: "Make it first, or choose another --out.",
    });
  }
  const taken = paths.find((path) => isFolder(path));
  if (taken !== undefined) {
    throw new ConfigError(`${taken}: expected a file for --out, got a folder`, {
      hint: `Name a file in it, ${join(taken, "NAME")} say.`,
    });
  }
  const existing = isForced ? undefined : paths.find((path) => existsSync(path));
  if (existing !== undefined) {
    throw new ConfigError(`${existing}: exists already`, {
      hint: "Choose another --out, or replace it with --force.",
    });
  }
}

/** Throws ConfigError where an output is one of the inputs, by another name or link too: --force must not destroy what is read. */
export function expectOtherFiles(outputs: readonly string[], inputs: readonly string[]): void {
  const read = new Set(inputs.map(realPath));
  const both = outputs.find((path) => read.has(realPath(path)));
  if (both === undefined) return;
  throw new ConfigError(`--out: expected another file than the input, ${both} would be replaced`, {
    hint: "Choose another --out.",
  });
}

const isFolder = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

function realPath(path: string): string {
  return existsSync(path) ? realpathSync(path) : resolve(path);
}
