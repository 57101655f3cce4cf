/** @file Commands that a reader can give as they stand, in the folder where the report was made. */
import { readFile } from "node:fs/promises";
import { basename, dirname, isAbsolute, relative } from "node:path";

import { hashBytes } from "../util/hash.ts";
import { packageFile } from "../util/package-file.ts";
import type { RunFolder } from "./run-folder.ts";

/** What culprit demo runs: an experiment file of the package for each. */
const ORGANISMS: readonly string[] = ["distractor", "diffuse"];

/** A path from this folder; of what lies outside of it the last part alone, since a report tells nothing of the machine. */
export function shownPath(path: string): string {
  if (path.startsWith("hf://")) return path;
  const here = process.cwd();
  // From the root every path of the machine is a path from this folder.
  if (dirname(here) === here) return basename(path);
  const from = relative(here, path);
  return from === "" || from.startsWith("..") || isAbsolute(from) ? basename(path) : from;
}

/** Words of a command, those quoted that a shell would read otherwise. */
export const shellWords = (words: readonly string[]): string =>
  words
    .map((word) => (/^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(" ");

/** The pairs of a run as a command takes them, with how they were read. */
export function pairArguments({ settings, at }: RunFolder): readonly string[] {
  const { files, shape, sourceColumn, limit } = settings.pairs;
  const given = [
    ["--shape", shape],
    ["--source-column", sourceColumn],
    ["--limit", limit],
  ] as const;
  return [
    ...files.map((file) => shownPath(at(file))),
    ...given.flatMap(([flag, value]) => (value === undefined ? [] : [flag, String(value)])),
  ];
}

/** What makes a run again, looks at how far it is, and writes its report. */
export async function commandsOf({ manifest, path }: RunFolder): Promise<readonly string[]> {
  const { experimentFile, experimentSha256, experiment } = manifest;
  const out = shownPath(path);
  // culprit demo names its file by its place in the package; who names a file to culprit run mostly does so from a folder.
  const organism = isAbsolute(experimentFile) ? await organismOf(experimentSha256) : undefined;
  const seeds = seedsOf(experiment["train"]);
  const run =
    organism === undefined
      ? ["run", shownPath(experimentFile)]
      : ["demo", "--organism", organism, ...(seeds === 1 ? [] : ["--seeds", String(seeds)])];
  return [
    [...run, "--out", out],
    ["status", out],
    ["report", out, "--out", "report"],
  ].map((words) => `npx culprit ${shellWords(words)}`);
}

/** The organism whose experiment file has this hash: its run is one of culprit demo, wherever it was made. */
async function organismOf(hash: string): Promise<string | undefined> {
  for (const name of ORGANISMS) {
    const text = await readFile(packageFile(`examples/${name}.yaml`)).catch(() => undefined);
    if (text !== undefined && hashBytes(text) === hash) return name;
  }
  return undefined;
}

const seedsOf = (train: unknown): number => {
  const seeds =
    typeof train === "object" && train !== null && "seeds" in train ? train.seeds : undefined;
  return Array.isArray(seeds) ? seeds.length : 1;
};
