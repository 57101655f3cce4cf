import { dirname, resolve } from "node:path";

import { openPairs, type PairSet } from "../pairs/open-pairs.ts";
import { plantedIds } from "../ranking/planted.ts";
import { ConfigError } from "../util/errors.ts";
import { inSetting } from "../util/in-setting.ts";
import type { ExperimentInputs, OpenInputsOptions } from "./open-inputs.ts";
import { withRelativePaths } from "./portable-paths.ts";
import type { ExperimentFile } from "./read-experiment.ts";

/** Opens the preference pairs without the column that says which are planted, and reads that column apart. */
export async function openPreferencePairs(
  file: ExperimentFile,
  { resolveRemote, signal }: OpenInputsOptions,
): Promise<Pick<ExperimentInputs, "pairs" | "planted">> {
  const { files, shape, sourceColumn, keep, limit, planted } = file.experiment.pairs;
  const open = (keepColumns: readonly string[] | undefined): Promise<PairSet> =>
    inSetting("pairs.files", () =>
      openPairs(files.map(file.at), {
        shape,
        sourceColumn,
        keepColumns,
        limit,
        resolveRemote,
        signal,
      }),
    );
  const folder = dirname(resolve(file.path));
  const opened = await open(keep);
  if (planted === undefined)
    return { pairs: withRelativePaths(opened, folder), planted: undefined };
  // The answer key: whatever it is called, it must not travel with the pairs.
  const others = opened.columns.filter((name) => name !== planted && name !== "source");
  const blind = opened.columns.includes(planted) ? await open(others) : opened;
  const ids = await plantedIds(await open([planted]), planted);
  if (ids.length > 0) return { pairs: withRelativePaths(blind, folder), planted: ids };
  throw new ConfigError(`pairs.planted: expected pairs for which "${planted}" is true, got none`);
}
