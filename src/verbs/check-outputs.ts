/** @file Where outputs may go: not over what is read, nor over what is there unless that is forced. */
import { existsSync, realpathSync, statSync } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";

import { ConfigError } from "../util/errors.ts";
import { expectWritable } from "../util/make-folder.ts";
import type { Output, Outputs } from "./verb.ts";

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
    const { endings, isResumable, shared, artifact, place = "file" } = output;
    if (endings !== undefined && !endings.some((ending) => path.endsWith(ending))) {
      throw new ConfigError(
        `${name}: expected a name ending in ${endings.join(" or ")}, got "${path}"`,
      );
    }
    expectWritable(path);
    const files = artifact.files(path);
    expectOtherFiles(name, [path, ...files], inputs);
    expectPlace(name, path, place);
    for (const file of new Set([path, ...files])) {
      if (seen.has(realPath(file))) {
        throw new ConfigError(
          `${name}: expected another file than the other outputs, got ${file} twice`,
        );
      }
      seen.add(realPath(file));
    }
    for (const file of files) expectWritable(file);
    if (place === "file") for (const file of files) expectPlace(name, file, place);
    // A folder is made with those above it, and so is what stages share.
    if (place !== "folder" && shared === undefined) expectFolderOf(name, path);
    if (isResumable !== true && shared === undefined && !isForced) expectFree(files);
  }
}

/**
 * Throws ConfigError where `path` is none that a file can be written at, or one of those read; for files of commands that are no outputs
 * of a verb. `name` stands in errors.
 */
export function expectFilePlace(name: string, path: string, inputs: readonly string[]): void {
  expectWritable(path);
  expectOtherFiles(name, [path], inputs);
  expectPlace(name, path, "file");
  expectFolderOf(name, path);
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

/** Throws ConfigError where a folder stands in the place of a file, or a file in that of a folder. */
function expectPlace(name: string, path: string, place: Output["place"]): void {
  if (place === "either") return;
  const isFolder = statSync(resolve(path), { throwIfNoEntry: false })?.isDirectory();
  if (place === "folder" && isFolder === false) {
    throw new ConfigError(`${path}: expected a folder for ${name}, got a file`, {
      hint: "Choose another place.",
    });
  }
  if (place === "file" && (isFolder === true || path.endsWith(sep))) {
    throw new ConfigError(`${path}: expected a file for ${name}, got a folder`, {
      hint: `Name a file in it, ${join(path, "NAME")} say.`,
    });
  }
}

function expectFolderOf(name: string, path: string): void {
  const folder = dirname(resolve(path));
  if (existsSync(folder)) return;
  throw new ConfigError(`${dirname(path)}: no such folder for ${name}`, {
    hint: "Make it first, or choose another place.",
  });
}

function expectFree(files: readonly string[]): void {
  const existing = files.find((path) => existsSync(path));
  if (existing === undefined) return;
  throw new ConfigError(`${existing}: exists already`, {
    hint: "Choose another place, or replace it with --force.",
  });
}

/** Where a file is, by whatever name or link; one that is not there, where it would be. */
export function realPath(path: string): string {
  return existsSync(path) ? realpathSync(path) : resolve(path);
}
