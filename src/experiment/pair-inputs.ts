import { basename, dirname, relative, resolve, sep } from "node:path";

import { openPairs, type PairSet } from "../pairs/open-pairs.ts";
import { plantedIds } from "../ranking/planted.ts";
import { ConfigError } from "../util/errors.ts";
import { inSetting } from "../util/in-setting.ts";
import { openPairsOptions } from "../verbs/inputs/pairs.ts";
import type { ExperimentInputs, OpenInputsOptions } from "./open-inputs.ts";
import type { ExperimentFile } from "./read-experiment.ts";

/** Opens the preference pairs without the column that says which are planted, and reads that column apart. */
export async function openPreferencePairs(
  file: ExperimentFile,
  options: OpenInputsOptions,
): Promise<Pick<ExperimentInputs, "pairs" | "planted">> {
  const { files, planted, ...settings } = file.experiment.pairs;
  const open = (keepColumns: readonly string[] | undefined): Promise<PairSet> =>
    inSetting("pairs.files", () =>
      openPairs(files.map(file.at), { ...openPairsOptions(settings, options), keepColumns }),
    );
  const folder = dirname(resolve(file.path));
  const opened = await open(settings.keep);
  if (planted === undefined)
    return { pairs: withRelativePaths(opened, folder), planted: undefined };
  // The answer key: whatever it is called, it must not travel with the pairs.
  const others = opened.columns.filter((name) => name !== planted && name !== "source");
  const blind = opened.columns.includes(planted) ? await open(others) : opened;
  const ids = await plantedIds(await open([planted]), planted);
  if (ids.length > 0) return { pairs: withRelativePaths(blind, folder), planted: ids };
  throw new ConfigError(`pairs.planted: expected pairs for which "${planted}" is true, got none`);
}

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
