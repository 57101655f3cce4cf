import { applyEdit } from "../edit/apply-edit.ts";
import { type Edit, EDIT } from "../edit/edit.ts";
import { openPairs, type PairSet } from "../pairs/open-pairs.ts";
import { openSftFiles, type SftSet } from "../pairs/sft-examples.ts";
import type { TrainResult } from "../training/metrics.ts";
import type { PairSource } from "../training/prepare.ts";
import { RUN_FILES } from "../training/run-folder.ts";
import type { TrainRequest } from "../training/settings.ts";
import { trainDpo, trainSft } from "../training/train.ts";
import { ConfigError, NothingToDoError } from "../util/errors.ts";
import { checkpointInput, checkpointSettings } from "./inputs/checkpoint.ts";
import { editInput } from "./inputs/files.ts";
import { noteColumns } from "./inputs/note-columns.ts";
import { notePairs, openPairsOptions, pairSettings } from "./inputs/pairs.ts";
import { fileNamed } from "./outputs.ts";
import { othersChoice } from "./settings/common.ts";
import { trainingSettings } from "./settings/training.ts";
import { defineVerb, type Input, type OpenWork } from "./verb.ts";

/** Data to train on; the method says what its rows have to be. */
export interface TrainingData {
  /** Preference pairs. */
  pairs(): Promise<PairSet>;
  /** Responses or texts; of preference pairs the chosen sides. */
  examples(): Promise<PairSet | SftSet>;
}

const dataInput = {
  kind: "pairs",
  placeholder: "DATA",
  describe: "Files of preference pairs or examples.",
  isPositional: true,
  isMany: true,
  settings: pairSettings,
  open: (paths, settings, work) => {
    const options = openPairsOptions(settings, work);
    return Promise.resolve({
      pairs: async () => noted(await openPairs(paths, options), work),
      examples: async () => noted(await openSftFiles(paths, options), work),
    });
  },
} as const satisfies Input<TrainingData, typeof pairSettings>;

/** Says what of the data is not read. */
async function noted<T extends PairSet | SftSet>(opened: T, work: OpenWork): Promise<T> {
  if ("shape" in opened) notePairs(opened, work);
  else for (const { path } of opened.files) await noteColumns(path, "examples", work);
  return opened;
}

/** Training changes the weights in place, so there is one way to keep them. */
const startSettings = checkpointSettings.omit({ weights: true, batchTokens: true });

export const train = defineVerb({
  name: "train",
  summary: "Preference training (DPO) or supervised fine-tuning of a checkpoint",
  about: `
DATA are files of preference pairs; for --method sft also rows {prompt, response}, {messages} or {text}, and of preference pairs
the chosen sides (JSONL, JSONL.gz, JSON, Parquet, CSV; globs in quotes; hf://datasets/owner/name/path).

DPO minimises -log sigmoid(beta * [(log p(chosen) - log p0(chosen)) - (log p(rejected) - log p0(rejected))]), p0 being the start
checkpoint, whose log-probabilities are computed once and kept by content. SFT minimises the cross-entropy of the response tokens.

--out is a checkpoint folder afterwards (with --lora a PEFT adapter) and has metrics.jsonl, one line a step, and train.json. An
interrupted run goes on when the same command is given again, and ends in the same bytes as one that was not.

  culprit train pairs.jsonl --checkpoint ./sft --out ./dpo --learning-rate 1e-6 --beta 5 --length-normalized
  culprit train pairs.jsonl --checkpoint ./sft --out ./adapter --learning-rate 1e-4 --lora
  culprit train chat.jsonl --method sft --checkpoint ./base --out ./sft --learning-rate 1e-5`,
  version: 3,
  inputs: {
    data: dataInput,
    checkpoint: {
      ...checkpointInput,
      settings: startSettings,
      describe: "The checkpoint to start from: a Hugging Face folder, or hf://owner/name@revision.",
    },
    edit: {
      ...editInput,
      describe:
        "An edit to train on, as culprit edit decided it: the data is edited as it is read.",
      isOptional: true,
    },
  },
  settings: trainingSettings,
  check: ({ method, beta, lengthNormalized, labelSmoothing, lossOn }, given) =>
    othersChoice("method", method, {
      dpo: {
        beta: beta !== undefined,
        lengthNormalized,
        labelSmoothing: labelSmoothing > 0,
        referenceCache: given.has("referenceCache"),
      },
      sft: { lossOn: lossOn !== undefined },
    }),
  outputs: {
    out: {
      artifact: fileNamed("checkpoint"),
      placeholder: "DIR",
      describe: "The run's folder.",
      place: "folder",
      isResumable: true,
    },
    referenceCache: {
      artifact: fileNamed("reference-log-probabilities"),
      placeholder: "DIR",
      describe:
        "Where DPO's reference log-probabilities are kept by content; runs over edited data can share it.",
      place: "folder",
      shared: `/${RUN_FILES.referenceCache}`,
    },
  },
  force: "Replace another run in --out.",
  // Times, paths of this machine, and what only resuming needs.
  asides: Object.values(RUN_FILES).map((name) => `checkpoint/${name}`),
  canResume: true,
  run: async ({ data, checkpoint, edit }, given, work): Promise<TrainResult> => {
    const { method, lora: factors, batchTokens, keepCheckpoints } = given;
    const { out, isForced, signal, progress, cost } = work;
    const how = {
      ...given,
      adaptation: factors && { kind: "lora" as const, ...factors },
    };
    const request: TrainRequest = {
      ...given,
      checkpoint: checkpoint.folder,
      host: checkpoint.host,
      out: out.out,
      engine: {
        ...checkpoint.options,
        batchTokens: batchTokens ?? checkpoint.options.batchTokens,
      },
      referenceCache: out.referenceCache,
      keep: keepCheckpoints,
      force: isForced,
      signal,
      progress: progress("steps"),
    };
    const taken = edit === undefined ? undefined : await readEdit(edit);
    const result =
      method === "dpo"
        ? await trainDpo(edited(await data.pairs(), taken), how, request)
        : await trainSft(edited(await data.examples(), taken), how, request);
    cost.add(result.tokens, result.tokens === 0 ? 0 : result.flops / result.tokens);
    return result;
  },
  show: ({ checkpoint, steps, examples, seconds, tokens, flops, final }) => {
    const shown = SHOWN.flatMap((name) =>
      final[name] === undefined ? [] : [`${name} ${final[name].toFixed(4)}`],
    );
    return [
      `${checkpoint}: ${steps} steps over ${examples} examples in ${seconds.toFixed(1)} s`,
      `last tenth: ${shown.join(", ")}`,
      `${tokens} tokens, ${(flops / 1e12).toFixed(3)} TFLOP; metrics in ${checkpoint}/${RUN_FILES.metrics}`,
    ].join("\n");
  },
  warnings: ({ unusable, checkpoint }) =>
    unusable === 0
      ? []
      : [`${unusable} rows cannot be used, see ${checkpoint}/${RUN_FILES.unusable}`],
});

/** Metrics that are printed. */
const SHOWN = ["loss", "accuracy", "margin", "chosenLogprob", "rejectedLogprob"];

async function readEdit(path: string): Promise<Edit> {
  const edit = await EDIT.read(path);
  if (edit.ids.length > 0) return edit;
  throw new NothingToDoError("the edit takes no pairs, so there is nothing to compare");
}

/** The data as an edit leaves it, edited as it is read. */
function edited<T extends PairSet | SftSet>(opened: T, edit: Edit | undefined): T | PairSource {
  if (edit === undefined) return opened;
  if (!("shape" in opened)) {
    throw new ConfigError("edit: expected preference pairs to edit, got other examples");
  }
  return {
    files: opened.files,
    read: (options) => applyEdit(opened.read(options), edit, opened.shape),
  };
}
