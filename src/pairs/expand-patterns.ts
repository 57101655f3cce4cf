import { readdir, stat } from "node:fs/promises";

import { compileGlob, isGlob } from "../hub/glob.ts";
import { ConfigError } from "../util/errors.ts";
import { folderHint } from "./readers/folder-hint.ts";

/** Turns a `hf://datasets/owner/name[@revision]/…` address into files on this machine. */
export type ResolveRemote = (uri: string) => Promise<readonly string[]>;

/**
 * The files that patterns name: plain paths, globs (`*`, `?`, `[a-z]`, `{a,b}`, and `**` for any depth) and `hf://datasets/`
 * addresses. A path that exists is taken as it is, whatever characters it has. The order is that of the patterns, and sorted
 * by code unit within a glob; a file named twice is read once. As in a shell, `*` does not match a leading dot.
 * Throws ConfigError naming a pattern that matches no file, or an address nobody can resolve.
 */
export async function expandPatterns(
  patterns: readonly string[],
  resolveRemote?: ResolveRemote,
): Promise<readonly string[]> {
  if (patterns.length === 0) throw new ConfigError("expected at least one data file, got none");
  const files: string[] = [];
  for (const pattern of patterns) files.push(...(await expandPattern(pattern, resolveRemote)));
  return [...new Set(files)];
}

async function expandPattern(
  pattern: string,
  resolveRemote: ResolveRemote | undefined,
): Promise<readonly string[]> {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(pattern)) {
    if (!pattern.startsWith("hf://datasets/") || resolveRemote === undefined) {
      throw new ConfigError(`${pattern}: expected a path or hf://datasets/owner/name/FILE`, {
        hint: "Download other addresses first and name the file.",
      });
    }
    const files = await resolveRemote(pattern);
    if (files.length === 0) throw noMatch(pattern);
    return files;
  }
  const found = await stat(pattern).catch(ignoreMissing);
  if (found?.isDirectory() === true) {
    throw new ConfigError(`${pattern}: expected a file, got a folder`, {
      hint: await folderHint(pattern),
    });
  }
  if (found !== undefined) return [pattern];
  if (!isGlob(pattern)) {
    throw new ConfigError(`${pattern}: no such file`);
  }
  const files = await matchFiles(pattern);
  if (files.length === 0) throw noMatch(pattern);
  return files.toSorted((a, b) => (a < b ? -1 : 1));
}

function noMatch(pattern: string): ConfigError {
  return new ConfigError(`${pattern}: the pattern matches no file`);
}

/** Walks from the last folder that the pattern names outright, no deeper than the pattern goes. */
async function matchFiles(pattern: string): Promise<string[]> {
  const segments = pattern.split("/");
  const fixed = segments.findIndex(isGlob);
  // "**" goes to any depth, and so may a choice between paths of different depths.
  const depth = /\*\*|\{[^}]*\//.test(pattern) ? Infinity : segments.length - fixed;
  const isHiddenMeant = segments.slice(fixed).some((segment) => segment.startsWith("."));
  const isMatch = compileGlob(pattern);
  const files: string[] = [];
  const walk = async (prefix: string, levels: number): Promise<void> => {
    const entries = await readdir(prefix === "" ? "." : prefix, { withFileTypes: true }).catch(
      ignoreMissing,
    );
    for (const entry of entries ?? []) {
      if (entry.name.startsWith(".") && !isHiddenMeant) continue;
      const path = prefix + entry.name;
      // Links are followed, but not at any depth: there they may lead back up.
      const target =
        entry.isSymbolicLink() && levels !== Infinity
          ? await stat(path).catch(ignoreMissing)
          : entry;
      if (target?.isDirectory() === true && levels > 1) await walk(`${path}/`, levels - 1);
      else if (target?.isDirectory() !== true && isMatch(path)) files.push(path);
    }
  };
  await walk(
    segments
      .slice(0, fixed)
      .map((segment) => `${segment}/`)
      .join(""),
    depth,
  );
  return files;
}

/** A missing path is an answer here; every other failure is an error. */
function ignoreMissing(error: unknown): undefined {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOENT" || code === "ENOTDIR") return undefined;
  throw error;
}
