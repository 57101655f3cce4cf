/** @file What an experiment reads from outside, opened and hashed before any stage runs. */
import { requestKey } from "../data/base-key.ts";
import { openPairs } from "../data/open-pairs.ts";
import { readScenarios, type ScenarioSet } from "../data/scenarios.ts";
import { localFolder } from "../engine/open-engine.ts";
import { ConfigError } from "../util/errors.ts";
import { hashFile } from "../util/hash.ts";
import type { JobOptions } from "../util/progress.ts";
import { checkpointSize, hashCheckpoint } from "./checkpoint-input.ts";
import type {
  CheckpointInput,
  ExperimentInputs,
  FileInput,
  OpenInputsOptions,
} from "./experiment-inputs.ts";
import { inSetting } from "./in-setting.ts";
import { openJudge, openLabels } from "./judge-input.ts";
import { openEndpoint } from "./open-asker.ts";
import { openPreferencePairs } from "./pair-inputs.ts";
import type { ExperimentFile } from "./read-experiment.ts";
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
    endpoints: openEndpoints(file.experiment),
    ...(await openPreferencePairs(file, options)),
    responses: await openFile("responses", responses, file),
    judge: judge && (await openJudge(judge, file)),
    labels: judge === undefined ? {} : await openLabels(judge, file),
    probe: await scenarios("probe", probe?.scenarios),
    evaluation: await scenarios("evaluation", evaluation?.scenarios),
    capabilities: await openCapabilities(file, options),
  };
  requireDisjoint(inputs.probe, inputs.evaluation);
  requireLayers(file, inputs.before);
  return inputs;
}

function openEndpoints({ sampling }: Experiment): ExperimentInputs["endpoints"] {
  const { before, after } = sampling.endpoints ?? {};
  const open = (name: "before" | "after", settings: EndpointSettings | undefined): object =>
    settings === undefined ? {} : { [name]: openEndpoint(`sampling.endpoints.${name}`, settings) };
  return { ...open("before", before), ...open("after", after) };
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

/** Scenarios that the probe was chosen by would flatter it in the evaluation; nor does another case or punctuation make them others. */
function requireDisjoint(
  probe: ScenarioSet | undefined,
  evaluation: ScenarioSet | undefined,
): void {
  const requests = new Set(probe?.scenarios.map(({ base }) => requestKey(base)));
  const shared = evaluation?.scenarios.filter(({ base }) => requests.has(requestKey(base))) ?? [];
  if (shared.length === 0) return;
  throw new ConfigError(
    `evaluation.scenarios: expected other requests than those of probe.scenarios, got ${shared.length} of the same, the first in scenario "${shared[0]!.id}"`,
    {
      hint: "Split the scenarios so that no request is in both files: culprit scenarios --split-only.",
    },
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
