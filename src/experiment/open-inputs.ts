/** @file What an experiment reads from outside, opened and hashed before any stage runs. */
import {
  checkpointSize,
  type CheckpointSize,
  expectWhole,
  hashCheckpoint,
} from "../engine/checkpoint-size.ts";
import { localFolder } from "../engine/local-host.ts";
import { readHumanLabels } from "../judge/human-labels.ts";
import type { Rubric } from "../judge/rubric.ts";
import type { RuleSet } from "../judge/rules-judge.ts";
import { openPairs, type PairSet } from "../pairs/open-pairs.ts";
import type { ScenarioSet } from "../rollouts/scenarios.ts";
import { ConfigError } from "../util/errors.ts";
import { hashFile } from "../util/hash.ts";
import { inSetting } from "../util/in-setting.ts";
import type { JobOptions } from "../util/progress.ts";
import { describeReadFault } from "../util/read-fault.ts";
import { isBuiltIn, rubricInput, rulesInput } from "../verbs/inputs/judges.ts";
import { openPairsOptions } from "../verbs/inputs/pairs.ts";
import { judge } from "../verbs/judge.ts";
import { withThreshold } from "../verbs/judging/open-judge.ts";
import { renameSetting } from "../verbs/setting-errors.ts";
import { resolveLayers } from "../verbs/settings/common.ts";
import type { Verb } from "../verbs/verb.ts";
import { checkEarly } from "./early-checks.ts";
import { expectKeys } from "./endpoints.ts";
import { openPreferencePairs } from "./pair-inputs.ts";
import type { ExperimentFile } from "./read-experiment.ts";
import { openScenarios } from "./scenario-inputs.ts";
import { furtherVerbs, STAGE_MADE } from "./schema.ts";
import { DRIFT, type Experiment } from "./sections.ts";

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
  /** Response pairs of unrelated behaviours, in the order of `rank.nulls`; undefined for drift. */
  readonly nulls: readonly (FileInput | undefined)[];
  /** Rollouts of the checkpoint before on the pairs' prompts. */
  readonly ownAnswers: FileInput | undefined;
  readonly rules: RuleSet | undefined;
  readonly rubric: Rubric | undefined;
  /** By the id of the judge stage whose rollouts they are of. */
  readonly labels: Readonly<Record<string, FileInput>>;
  /** What people decided of the pairs, in the order of `edits`; undefined for an edit by a ranking. */
  readonly decisions: readonly (FileInput | undefined)[];
  readonly probe: ScenarioSet | undefined;
  readonly evaluate: ScenarioSet | undefined;
  readonly capabilities: Readonly<
    Record<"answers" | "tasks" | "overRefusal", FileInput | undefined>
  > & { readonly pairs: PairSet | undefined };
  /** Pairs that the checkpoint after was not trained on; undefined where none are named. */
  readonly heldOut: PairSet | undefined;
  /** Files of verbs that have no place of their own here, by `verb.input`. */
  readonly further: Readonly<Record<string, FileInput>>;
}

export interface OpenInputsOptions {
  /** Shows downloads of `hf://` checkpoints and data. */
  readonly download?: JobOptions | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told what must be known before the result is trusted. */
  readonly warn?: ((line: string) => void) | undefined;
  /** Default: all that there are. */
  readonly verbs?: readonly Verb[] | undefined;
}

/**
 * Opens and hashes an experiment's inputs. Throws ConfigError naming the setting whose file is missing, or where a request to
 * evaluate with is one that the probe was made from.
 */
export async function openInputs(
  file: ExperimentFile,
  options: OpenInputsOptions = {},
): Promise<ExperimentInputs> {
  const { checkpoints, responses, judge: how } = file.experiment;
  const checkpoint = async (setting: "before" | "after"): Promise<CheckpointInput | undefined> => {
    const name = checkpoints[setting];
    const open = (): Promise<CheckpointInput> => openCheckpoint(file.at(name!), options.download);
    return name === undefined ? undefined : inSetting(`checkpoints.${setting}`, open);
  };
  expectKeys(file.experiment);
  const inputs = {
    before: (await checkpoint("before"))!, // never absent
    after: await checkpoint("after"),
    ...(await openPreferencePairs(file, options)),
    responses: await openFile("responses", responses, file),
    nulls: await openNulls(file),
    ownAnswers: await openFile("rank.rollouts", file.experiment.rank.rollouts, file),
    ...(await openJudging(how, file)),
    decisions: await openDecisions(file),
    ...(await openScenarios(file, options)),
    capabilities: await openCapabilities(file, options),
    heldOut: await openHeldOut(file, options),
    further: await openFurther(file, options.verbs),
  };
  if (inputs.before.hash === inputs.after?.hash) {
    options.warn?.(
      `checkpoints: before and after are the same, by their content (${inputs.after.folder}): there is no training between them, unless others are served`,
    );
  }
  requireLayers(file.experiment, inputs);
  await checkEarly(file.experiment, inputs);
  return inputs;
}

function openNulls(file: ExperimentFile): Promise<ExperimentInputs["nulls"]> {
  const open = async (name: string): Promise<FileInput | undefined> =>
    name === DRIFT ? undefined : openFile("rank.nulls", name, file);
  return Promise.all(file.experiment.rank.nulls.map(open));
}

function openDecisions(file: ExperimentFile): Promise<ExperimentInputs["decisions"]> {
  return Promise.all(
    file.experiment.edits.map(({ decisions }, i) =>
      openFile(`edits[${i}].decisions`, decisions, file),
    ),
  );
}

/** Reads rules, rubric and labels, so that what is wrong with them shows at once. */
async function openJudging(
  how: Experiment["judge"],
  file: ExperimentFile,
): Promise<Pick<ExperimentInputs, "rules" | "rubric" | "labels">> {
  const read = async <T>(
    way: "rules" | "rubric",
    { open }: { readonly open: (paths: readonly string[]) => Promise<T> },
  ): Promise<T | undefined> => {
    const name = how?.[way];
    if (name === undefined) return undefined;
    return inSetting(`judge.${way}`, () => open([isBuiltIn(name) ? name : file.at(name)]));
  };
  const rules = await read("rules", rulesInput);
  const rubric = await read("rubric", rubricInput);
  expectThreshold(rubric, how?.threshold);
  const labels: Record<string, FileInput> = {};
  for (const [stage, path] of Object.entries(how?.labels ?? {})) {
    labels[stage] = await inSetting(`judge.labels.${stage}`, async () => {
      await readHumanLabels(file.at(path));
      return { path: file.at(path), sha256: await hashFile(file.at(path)) };
    });
  }
  return { rules, rubric, labels };
}

function expectThreshold(rubric: Rubric | undefined, threshold: number | undefined): void {
  try {
    if (rubric !== undefined) withThreshold(rubric, threshold);
  } catch (error) {
    throw renameSetting(error, judge, (name) => `judge.${name}`);
  }
}

async function openCapabilities(
  file: ExperimentFile,
  { signal }: OpenInputsOptions,
): Promise<ExperimentInputs["capabilities"]> {
  const { capabilities: paths } = file.experiment;
  const open = (name: "answers" | "tasks" | "overRefusal"): Promise<FileInput | undefined> =>
    openFile(`capabilities.${name}`, paths[name], file);
  const { pairs } = paths;
  return {
    pairs: await inSetting("capabilities.pairs", async () =>
      pairs === undefined ? undefined : openPairs([file.at(pairs)], { signal }),
    ),
    answers: await open("answers"),
    tasks: await open("tasks"),
    overRefusal: await open("overRefusal"),
  };
}

async function openHeldOut(
  { at, experiment: { membership, pairs } }: ExperimentFile,
  options: OpenInputsOptions,
): Promise<PairSet | undefined> {
  const held = membership?.heldOut;
  if (held === undefined) return undefined;
  const { shape, sourceColumn, keep } = pairs; // they are of the same kind
  return inSetting("membership.heldOut", () =>
    openPairs([at(held)], openPairsOptions({ shape, sourceColumn, keep }, options)),
  );
}

async function openFurther(
  file: ExperimentFile,
  verbs: readonly Verb[] | undefined,
): Promise<ExperimentInputs["further"]> {
  const opened: Record<string, FileInput> = {};
  for (const { verb, section } of furtherVerbs(file.experiment, verbs)) {
    for (const [name, { kind, isOptional }] of Object.entries(verb.inputs)) {
      if (STAGE_MADE.has(kind)) continue;
      const setting = `${verb.name}.${name}`;
      const found = await openFile(setting, section[name] as string | undefined, file); // its schema
      if (found !== undefined) opened[setting] = found;
      else if (isOptional !== true) throw new ConfigError(`${setting}: expected a file, got none`);
    }
  }
  return opened;
}

/** Layers that the checkpoints have; the one after is trained from the one before, where none is given. */
function requireLayers(
  { behavior, steer }: Experiment,
  { before, after }: Pick<ExperimentInputs, "before" | "after">,
): void {
  const check = (
    setting: string,
    which: "before" | "after",
    layers: "all" | readonly number[],
  ): void => {
    const { layerCount } = (which === "after" ? (after ?? before) : before).size;
    const beyond = layers === "all" ? undefined : layers.find((layer) => layer > layerCount);
    if (beyond === undefined) return;
    const name = which === "after" && after === undefined ? "before" : which;
    throw new ConfigError(
      `${setting}: the checkpoint ${name} has layers 0 to ${layerCount}, got ${beyond}`,
      { hint: `List layers from 0 to ${layerCount}, or say all.` },
    );
  };
  check("behavior.layers", "before", behavior.layers);
  if (steer?.modes.includes("project-out") === true && typeof steer.projectOutAt !== "string") {
    check("steer.projectOutAt", "after", steer.projectOutAt);
  }
}

/** The layers of behaviour and vectors. */
export function layersOf(
  { behavior }: Pick<Experiment, "behavior">,
  { before }: Pick<ExperimentInputs, "before">,
): readonly number[] {
  return resolveLayers(behavior.layers, before.size.layerCount, "behavior.layers");
}

async function openCheckpoint(name: string, download: JobOptions = {}): Promise<CheckpointInput> {
  const folder = await localFolder(name, download);
  await expectWhole(folder);
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
    throw describeReadFault(
      `${setting}: ${path}`,
      error,
      `Paths are relative to the folder of ${file.path}.`,
    );
  });
  return { path: found, sha256 };
}
