/** @file What an experiment reads from outside, opened and hashed before any stage runs. */
import { basename, dirname, relative, resolve, sep } from "node:path";

import type { ResolveRemote } from "../data/expand-patterns.ts";
import { type DataFile, openPairs, type PairSet } from "../data/open-pairs.ts";
import { readScenarios, type ScenarioSet } from "../data/scenarios.ts";
import { localFolder } from "../engine/open-engine.ts";
import { BUILT_IN_RULES, readRuleSet, type RuleSet } from "../judge/rule-set.ts";
import { ConfigError } from "../util/errors.ts";
import { hashFile } from "../util/hash.ts";
import type { JobOptions } from "../util/progress.ts";
import { checkpointSize, type CheckpointSize, hashCheckpoint } from "./checkpoint-input.ts";
import type { ExperimentFile } from "./read-experiment.ts";

/** A checkpoint that the experiment starts from. */
export interface CheckpointInput {
  readonly folder: string;
  readonly hash: string;
  readonly size: CheckpointSize;
}

/** A file that a stage reads, by its content. */
export interface FileInput {
  readonly path: string;
  readonly sha256: string;
}

/** Everything from outside that the stages read. */
export interface ExperimentInputs {
  readonly before: CheckpointInput;
  readonly after: CheckpointInput | undefined;
  /** Without the column that says which are planted. */
  readonly pairs: PairSet;
  /** Ids of the planted pairs, in the order of the data; undefined where nobody knows. */
  readonly planted: readonly string[] | undefined;
  readonly responses: FileInput | undefined;
  readonly rules: RuleSet | undefined;
  readonly probe: ScenarioSet | undefined;
  readonly evaluation: ScenarioSet | undefined;
  readonly capabilities: {
    readonly pairs: PairSet | undefined;
    readonly answers: FileInput | undefined;
    readonly tasks: FileInput | undefined;
    readonly overRefusal: FileInput | undefined;
  };
}

export interface OpenInputsOptions {
  readonly resolveRemote?: ResolveRemote;
  /** Shows the download of `hf://` checkpoints. */
  readonly download?: JobOptions;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens and hashes an experiment's inputs. Throws ConfigError naming the setting whose file is missing, or where a request to
 * evaluate with is one that the probe was made from.
 */
export async function openInputs(
  file: ExperimentFile,
  options: OpenInputsOptions = {},
): Promise<ExperimentInputs> {
  const { checkpoints, responses, judge, probe, evaluation } = file.experiment;
  const checkpoint = async (setting: "before" | "after"): Promise<CheckpointInput | undefined> => {
    const name = checkpoints[setting];
    if (name === undefined) return undefined;
    return inSetting(`checkpoints.${setting}`, () =>
      openCheckpoint(file.at(name), options.download),
    );
  };
  const scenarios = async (
    setting: "probe" | "evaluation",
    path: string | undefined,
  ): Promise<ScenarioSet | undefined> => {
    if (path === undefined) return undefined;
    return inSetting(`${setting}.scenarios`, () => readScenarios(file.at(path)));
  };
  const inputs = {
    before: (await checkpoint("before"))!, // never absent
    after: await checkpoint("after"),
    ...(await openPreferencePairs(file, options)),
    responses: await openFile("responses", responses, file),
    rules: judge && (await inSetting("judge.rules", () => readRules(judge.rules, file))),
    probe: await scenarios("probe", probe?.scenarios),
    evaluation: await scenarios("evaluation", evaluation?.scenarios),
    capabilities: await openCapabilities(file, options),
  };
  requireDisjoint(inputs.probe, inputs.evaluation);
  requireLayers(file, inputs.before);
  return inputs;
}

/** A built-in rule set by its name, or one from a file. */
async function readRules(name: string, file: ExperimentFile): Promise<RuleSet> {
  return readRuleSet(Object.hasOwn(BUILT_IN_RULES, name) ? name : file.at(name));
}

async function openPreferencePairs(
  file: ExperimentFile,
  { resolveRemote, signal }: OpenInputsOptions,
): Promise<Pick<ExperimentInputs, "pairs" | "planted">> {
  const { files, shape, source, keep, limit, planted } = file.experiment.pairs;
  const open = (keepColumns: readonly string[] | undefined): Promise<PairSet> =>
    inSetting("pairs.files", () =>
      openPairs(files.map(file.at), {
        shape,
        sourceColumn: source,
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
  return {
    pairs: withRelativePaths(blind, folder),
    planted: await readPlanted(await open([planted]), planted),
  };
}

async function readPlanted(pairs: PairSet, column: string): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const row of pairs.read()) {
    if (row.kind !== "pair") continue;
    const value = row.columns[column];
    if (value === true || value === 1 || value === "true" || value === "True") ids.push(row.id);
  }
  if (ids.length > 0) return ids;
  throw new ConfigError(`pairs.planted: expected pairs for which "${column}" is true, got none`);
}

async function openCapabilities(
  file: ExperimentFile,
  { signal }: OpenInputsOptions,
): Promise<ExperimentInputs["capabilities"]> {
  const { pairs, answers, tasks, overRefusal } = file.experiment.evaluation?.capabilities ?? {};
  const at = "evaluation.capabilities";
  return {
    pairs:
      pairs === undefined
        ? undefined
        : await inSetting(`${at}.pairs`, () => openPairs([file.at(pairs)], { signal })),
    answers: await openFile(`${at}.answers`, answers, file),
    tasks: await openFile(`${at}.tasks`, tasks, file),
    overRefusal: await openFile(`${at}.overRefusal`, overRefusal, file),
  };
}

function requireLayers({ experiment }: ExperimentFile, { size }: CheckpointInput): void {
  const beyond = experiment.behavior.layers.find((layer) => layer > size.layerCount);
  if (beyond === undefined) return;
  throw new ConfigError(
    `behavior.layers: the checkpoint before has layers 0 to ${size.layerCount}, got ${beyond}`,
  );
}

/** Scenarios that the probe was chosen by would flatter it in the evaluation. */
function requireDisjoint(
  probe: ScenarioSet | undefined,
  evaluation: ScenarioSet | undefined,
): void {
  const requests = new Set(probe?.scenarios.map(({ base }) => base));
  const shared = evaluation?.scenarios.filter(({ base }) => requests.has(base)) ?? [];
  if (shared.length === 0) return;
  throw new ConfigError(
    `evaluation.scenarios: expected other requests than those of probe.scenarios, got ${shared.length} of the same, the first in scenario "${shared[0]!.id}"`,
    { hint: "Split the scenarios so that no request is in both files." },
  );
}

async function openCheckpoint(name: string, download: JobOptions = {}): Promise<CheckpointInput> {
  const folder = await localFolder(name, download);
  return { folder, hash: await hashCheckpoint(folder), size: await checkpointSize(folder) };
}

async function openFile(
  setting: string,
  path: string | undefined,
  file: ExperimentFile,
): Promise<FileInput | undefined> {
  if (path === undefined) return undefined;
  const found = file.at(path);
  const sha256 = await hashFile(found).catch((error: NodeJS.ErrnoException) => {
    throw new ConfigError(`${setting}: ${path} cannot be read (${error.code ?? error.message})`, {
      hint: `Paths are relative to the folder of ${file.path}.`,
      cause: error,
    });
  });
  return { path: found, sha256 };
}

/** Errors of readers name the file; this adds which setting named it. */
async function inSetting<T>(setting: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ConfigError) || error.message.startsWith(`${setting}:`)) throw error;
    throw new ConfigError(`${setting}: ${error.message}`, {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      cause: error,
    });
  }
}

/**
 * The same pairs under names that do not depend on where the experiment lies: paths below its folder are relative to it, others (a hub
 * cache, say) their last part. They stand in reports and lists of unusable rows.
 */
function withRelativePaths(pairs: PairSet, folder: string): PairSet {
  const rename = (path: string): string => relativeName(path, folder);
  return {
    ...pairs,
    files: pairs.files.map((file) => ({ ...file, path: rename(file.path) })),
    read: async function* (readOptions) {
      for await (const row of pairs.read(readOptions)) yield { ...row, file: rename(row.file) };
    },
  };
}

/** See withRelativePaths. */
export function relativeName(path: string, folder: string): string {
  const found = relative(folder, resolve(path));
  return found.startsWith("..") || resolve(found) === found
    ? basename(path)
    : found.split(sep).join("/");
}

/** Files under the names that results may hold. */
export function withoutFolders<T extends Pick<DataFile, "path">>(files: readonly T[]): T[] {
  return files.map((file) => ({ ...file, path: basename(file.path) }));
}
