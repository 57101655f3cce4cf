import { existsSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";

import { ConfigError } from "../util/errors.ts";
import { expectWritable } from "../util/make-folder.ts";

/** Where an edited data set goes. */
export interface EditPaths {
  /** The file, or the folder, that holds the data. */
  readonly out: string;
  readonly isFolder: boolean;
  /** Names of the files within the folder, in the order of the source's; one name for a single file. */
  readonly names: readonly string[];
  readonly manifest: string;
  readonly ids: string;
}

const DATA_EXTENSION = /\.(jsonl|ndjson|json|csv|tsv|parquet)(\.gz)?$/i;

/**
 * Decides where an edit of `files` is written: `out` is a file where it ends like one (and there is one source file with the same
 * ending), otherwise a folder that holds the files by their names, or by their paths from the folder they share. Manifest and
 * ids stand beside it. Throws ConfigError where the ending is another, and where something would be overwritten: a source
 * always, anything else unless `force`.
 */
export function planEditPaths(files: readonly string[], out: string, force = false): EditPaths {
  const trimmed = out.replace(/[/\\]+$/, "");
  const ending = out === trimmed ? DATA_EXTENSION.exec(out)?.[0] : undefined;
  const stem = ending === undefined ? trimmed : out;
  const paths: EditPaths = {
    out: stem,
    isFolder: ending === undefined,
    names: ending === undefined ? namesWithin(files) : [basename(out)],
    manifest: `${stem}.manifest.json`,
    ids: `${stem}.ids.jsonl`,
  };
  if (ending !== undefined) requireSameEnding(files, out, ending);
  requireFree(files, paths, force);
  return paths;
}

function requireSameEnding(files: readonly string[], out: string, ending: string): void {
  const [file = "", second] = files;
  if (second !== undefined) {
    throw new ConfigError(`out: expected a folder for ${files.length} files, got "${out}"`);
  }
  const own = DATA_EXTENSION.exec(file)?.[0];
  if (own === undefined || own.toLowerCase() === ending.toLowerCase()) return;
  throw new ConfigError(`out: expected a name ending in ${own} like the data, got "${out}"`, {
    hint: "An edit keeps the format of the data.",
  });
}

function requireFree(files: readonly string[], paths: EditPaths, force: boolean): void {
  const targets = [paths.out, paths.manifest, paths.ids];
  for (const target of targets) {
    expectWritable(target);
    const path = resolve(target);
    const isSource = (file: string): boolean =>
      resolve(file) === path || resolve(file).startsWith(path + sep);
    if (files.some(isSource)) {
      throw new ConfigError(`${target}: holds the data and would be overwritten`, {
        hint: "Choose another --out.",
      });
    }
  }
  if (!existsSync(dirname(resolve(paths.out)))) {
    throw new ConfigError(`${dirname(paths.out)}: no such folder for --out`, {
      hint: "Make it first, or choose another --out.",
    });
  }
  const written = paths.isFolder ? targets.slice(1) : targets;
  const folder = written.find((target) =>
    statSync(target, { throwIfNoEntry: false })?.isDirectory(),
  );
  if (folder !== undefined) {
    throw new ConfigError(`${folder}: expected a file for --out, got a folder`, {
      hint: "Choose another --out.",
    });
  }
  const existing = force ? undefined : targets.find((target) => existsSync(target));
  if (existing === undefined) return;
  throw new ConfigError(`${existing}: exists already`, {
    hint: "Choose another --out, or replace it with --force.",
  });
}

/** Each file's path from the folder that all share. */
function namesWithin(files: readonly string[]): string[] {
  const folders = files.map((file) => dirname(resolve(file)).split(sep));
  let shared = 0;
  while (
    folders.every((folder) => shared < folder.length && folder[shared] === folders[0]![shared])
  ) {
    shared++;
  }
  const root = folders[0]!.slice(0, shared).join(sep) || sep;
  return files.map((file) => join(".", relative(root, resolve(file))));
}
