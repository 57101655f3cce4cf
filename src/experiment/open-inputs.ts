import { checkpointSize, hashCheckpoint } from "../engine/checkpoint-size.ts";
import { localFolder } from "../engine/local-host.ts";
/** @file What an experiment reads from outside, opened and hashed before any stage runs. */
import { openPairs } from "../pairs/open-pairs.ts";
import { ConfigError } from "../util/errors.ts";
import { hashFile } from "../util/hash.ts";
import { inSetting } from "../util/in-setting.ts";
import type { JobOptions } from "../util/progress.ts";
import { describeReadFault } from "../util/read-fault.ts";
import type {
  CheckpointInput,
  ExperimentInputs,
  FileInput,
  OpenInputsOptions,
} from "./experiment-inputs.ts";
import { openJudge, openLabels } from "./judge-input.ts";
import { openEndpoint } from "./open-asker.ts";
import { openPreferencePairs } from "./pair-inputs.ts";
import type { ExperimentFile } from "./read-experiment.ts";
import { openScenarios } from "./scenario-inputs.ts";
import { DRIFT } from "./schema-attribution.ts";
import type { EndpointSettings } from "./schema-judge.ts";
import type { Experiment } from "./schema.ts";

/**
 * Opens and hashes an experiment's inputs. Throws ConfigError naming the setting whose file is missing, or where a request to
 * evaluate with is one that the probe was made from.
 */
export async function openInputs(
  file: ExperimentFile,
  options: OpenInputsOptions = {},
): Promise<ExperimentInputs> {
  const { checkpoints, responses, judge } = file.experiment;
  const checkpoint = async (setting: "before" | "after"): Promise<CheckpointInput | undefined> => {
    const name = checkpoints[setting];
    if (name === undefined) return undefined;
    return inSetting(`checkpoints.${setting}`, () =>
      openCheckpoint(file.at(name), options.download),
    );
  };
  const inputs = {
    before: (await checkpoint("before"))!, // never absent
    after: await checkpoint("after"),
    endpoints: openEndpoints(file.experiment),
    ...(await openPreferencePairs(file, options)),
    responses: await openFile("responses", responses, file),
    nulls: await openNulls(file),
    judge: judge && (await openJudge(judge, file)),
    labels: judge === undefined ? {} : await openLabels(judge, file),
    ...(await openScenarios(file, options)),
    capabilities: await openCapabilities(file, options),
  };
  requireLayers(file.experiment, inputs.before);
  requireProjectedLayers(file.experiment, inputs);
  return inputs;
}

function openEndpoints({ sampling }: Experiment): ExperimentInputs["endpoints"] {
  const { before, after } = sampling.endpoints ?? {};
  const open = (name: "before" | "after", settings: EndpointSettings | undefined): object =>
    settings === undefined ? {} : { [name]: openEndpoint(`sampling.endpoints.${name}`, settings) };
  return { ...open("before", before), ...open("after", after) };
}

async function openNulls(file: ExperimentFile): Promise<ExperimentInputs["nulls"]> {
  const opened: (FileInput | undefined)[] = [];
  for (const name of file.experiment.attribution.nulls) {
    opened.push(name === DRIFT ? undefined : await openFile("attribution.nulls", name, file));
  }
  return opened;
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

function requireLayers({ behavior }: Experiment, { size }: CheckpointInput): void {
  const beyond = behavior.layers.find((layer) => layer > size.layerCount);
  if (beyond === undefined) return;
  throw new ConfigError(
    `behavior.layers: the checkpoint before has layers 0 to ${size.layerCount}, got ${beyond}`,
  );
}

/** The checkpoint after is trained from the one before, where none is given. */
function requireProjectedLayers(
  { steering }: Experiment,
  { before, after }: Pick<ExperimentInputs, "before" | "after">,
): void {
  if (steering?.modes.includes("project-out") !== true) return;
  if (typeof steering.projectOutAt === "string") return;
  const [name, { layerCount }] =
    after === undefined ? ["before", before.size] : ["after", after.size];
  const beyond = steering.projectOutAt.find((layer) => layer > layerCount);
  if (beyond === undefined) return;
  throw new ConfigError(
    `steering.projectOutAt: the checkpoint ${name} has layers 0 to ${layerCount}, got ${beyond}`,
    { hint: `List layers from 0 to ${layerCount}, or say together, own or all.` },
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
    throw describeReadFault(
      `${setting}: ${path}`,
      error,
      `Paths are relative to the folder of ${file.path}.`,
    );
  });
  return { path: found, sha256 };
}
