/** @file What a run's ranking was made of, found in the experiment's folder. */
import { join } from "node:path";

import { RANK_REPORT } from "../ranking/ranking-report.ts";
import { openRunFolder, type RunFolder } from "../report/run-folder.ts";
import { readRecord, type StageRecord } from "../runs/stage-record.ts";
import { ConfigError, FormatError } from "../util/errors.ts";
import { verbs } from "../verbs/index.ts";

/** Files of a ranking and of what it was made of, as this process can open them. */
export interface RankedFiles {
  readonly ranking: string;
  readonly store: string;
  /** Undefined where the method has none. */
  readonly behavior: string | undefined;
  /** The layer whose ranking is written; undefined where the method has none. */
  readonly layer: number | undefined;
  readonly pairs: {
    /** Patterns. */
    readonly files: readonly string[];
    readonly shape: string | undefined;
    readonly limit: number | undefined;
  };
}

/**
 * The ranking by the experiment's first method, and the store and behaviour that it was made of, told by their content among those that
 * runs of other settings left. Throws ConfigError where the folder is no experiment's or its ranking is not made yet.
 */
export async function findRankedFiles(out: string): Promise<RankedFiles> {
  const run = await openRunFolder(out);
  const folder = run.stage("rank");
  const record = folder === undefined ? undefined : await readRecord(folder);
  if (folder === undefined || record === undefined) {
    throw new ConfigError(`${out}: expected an experiment whose stage rank is done, got none`, {
      hint: "culprit run EXPERIMENT --until rank makes it; culprit status shows how far it is.",
    });
  }
  const store = await findInput(run, record, "embed", "store");
  if (store === undefined) throw new FormatError(`${out}: the store of its ranking is not there`);
  const behavior = await findInput(run, record, "behavior", "behavior");
  const { layer } = await RANK_REPORT.read(join(folder, RANK_REPORT.name));
  const { files, shape, limit } = run.settings.pairs;
  return {
    ranking: join(folder, verbs.rank.outputs.out.artifact.name),
    store: join(store, verbs.embed.outputs.out.artifact.name),
    behavior: behavior && join(behavior, verbs.behavior.outputs.out.artifact.name),
    layer,
    pairs: { files: files.map(run.at), shape, limit },
  };
}

/** The folder of the stage of a kind that made what another stage read; undefined where there is none. */
async function findInput(
  run: RunFolder,
  reader: StageRecord,
  kind: string,
  input: string,
): Promise<string | undefined> {
  for (const id of run.ofKind(kind)) {
    const folder = run.stage(id)!; // it is done
    if ((await readRecord(folder))?.outputHash === reader.inputs[input]) return folder;
  }
  return undefined;
}
