/** @file Where outputs may go: not over what is read, nor over what is there unless that is forced. */
import { existsSync, realpathSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

import { ConfigError } from "../util/errors.ts";
import { expectWritable } from "../util/make-folder.ts";
import type { Outputs } from "./verb.ts";

/**
 * Throws ConfigError where an output is misnamed, there already (unless `isForced`), or one of the files read, RuntimeError where it
 * cannot be written.
 */
export function checkOutputs(
  outputs: Outputs,
  out: Readonly<Record<string, string | undefined>>,
  { isForced, inputs }: { readonly isForced: boolean; readonly inputs: readonly string[] },
): void {
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
    expectOtherFiles(name, files, inputs);
    if (seen.has(realPath(path))) {
      throw new ConfigError(
        `${name}: expected another file than the other outputs, got ${path} twice`,
      );
    }
    seen.add(realPath(path));
    for (const file of files) expectWritable(file);
    if (isResumable !== true && shared === undefined) expectFree(name, files, isForced);
  }
}

/** Throws ConfigError where a file to write is one of those read, by another name or link too: `--force` must not destroy what is read. */
export function expectOtherFiles(
  name: string,
  files: readonly string[],
  inputs: readonly string[],
): void {
  const read = new Set(inputs.map(realPath));
  const both = files.find((file) => read.has(realPath(file)));
  if (both === undefined) return;
  throw new ConfigError(
    `${name}: expected another file than the input, ${both} would be replaced`,
    { hint: "Choose another name for what is written." },
  );
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

/** Where a file is, by whatever name or link; one that is not there, where it would be. */
export function realPath(path: string): string {
  return existsSync(path) ? realpathSync(path) : resolve(path);
}
