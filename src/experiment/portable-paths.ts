/** @file Names of files that do not depend on where an experiment lies: results hold these and no path of this machine. */
import { basename, relative, resolve, sep } from "node:path";

import type { PairSet } from "../pairs/open-pairs.ts";

/**
 * The same pairs under names that do not depend on where the experiment lies: paths below its folder are relative to it, others (a hub
 * cache, say) their last part. They stand in reports and lists of unusable rows.
 */
export function withRelativePaths(pairs: PairSet, folder: string): PairSet {
  const rename = (path: string): string => relativeName(path, folder);
  return {
    ...pairs,
    files: pairs.files.map((file) => ({ ...file, path: rename(file.path) })),
    read: async function* (readOptions) {
      for await (const row of pairs.read(readOptions)) yield { ...row, file: rename(row.file) };
    },
  };
}

function relativeName(path: string, folder: string): string {
  const found = relative(folder, resolve(path));
  return found.startsWith("..") || resolve(found) === found
    ? basename(path)
    : found.split(sep).join("/");
}
