/** @file A checkpoint against memory and disk, without its weights being read. */
import { join } from "node:path";

import { surveyCheckpoint } from "../../hub/download-checkpoint.ts";
import { isHubUri } from "../../hub/hub-uri.ts";
import { loadChatTemplate } from "../../model/chat-template.ts";
import { openWeights } from "../../model/checkpoint-weights.ts";
import { readJson } from "../../model/read-json.ts";
import { readModel } from "../../model/read-model.ts";
import { loadTokenizer } from "../../model/tokenizer.ts";
import type { JobOptions } from "../../util/progress.ts";
import { freeBytes, type Memory } from "./check-machine.ts";
import { type Finding, foundError, gibibytes } from "./finding.ts";

export interface CheckpointSurroundings {
  readonly memory: Memory;
  readonly download: JobOptions;
}

/** Whether the checkpoint can be read, fits into memory, and what of it is still to be downloaded. */
export async function checkCheckpoint(
  name: string,
  { memory, download }: CheckpointSurroundings,
): Promise<readonly Finding[]> {
  const check = "checkpoint";
  try {
    const { parameters, family, disk } = await survey(name, download);
    const found = `${name}: ${family}, ${millions(parameters)} weights`;
    // Of one on the hub the tokenizer is not looked at: it may be large.
    const texts = isHubUri(name) ? [] : await checkTokenizer(name);
    return [{ check, status: "ok", found }, ...texts, ...disk, checkMemory(parameters, memory)];
  } catch (error) {
    return [foundError(check, error)];
  }
}

/** What turns texts into tokens: the tokenizer, and the chat template that most commands take by default. */
async function checkTokenizer(folder: string): Promise<readonly Finding[]> {
  const check = "tokenizer";
  const findings: Finding[] = [];
  try {
    const { warnings } = await loadTokenizer(folder);
    for (const found of warnings) {
      findings.push({ check, status: "warning", found, advice: "See docs/how-to-own-data.md." });
    }
  } catch (error) {
    return [foundError(check, error)];
  }
  try {
    await loadChatTemplate(folder);
  } catch (error) {
    // Base models have none: there is --template raw.
    return [...findings, { ...foundError(check, error), status: "warning" }];
  }
  const found = "tokenizer and chat template can be read";
  return findings.length > 0 ? findings : [{ check, status: "ok", found }];
}

interface Surveyed {
  readonly parameters: number;
  readonly family: string;
  /** What of it is still to be downloaded, and whether there is room. */
  readonly disk: readonly Finding[];
}

async function survey(name: string, download: JobOptions): Promise<Surveyed> {
  if (!isHubUri(name)) {
    const { family } = await readModel(name);
    return { parameters: await countWeights(name), family: family.name, disk: [] };
  }
  const { folder, cacheFolder, weightBytes, missingBytes } = await surveyCheckpoint(name, download);
  const { family } = await readModel(folder);
  return {
    parameters: Math.round(weightBytes / (await bytesOfWeight(folder))),
    family: family.name,
    disk: [checkDownload(missingBytes, await freeBytes(cacheFolder), cacheFolder)],
  };
}

const millions = (count: number): string =>
  count < 1e6 ? `${count}` : `${Math.round(count / 1e6)} million`;

function checkDownload(missing: number, free: number, cacheFolder: string): Finding {
  const check = "download";
  if (missing === 0) return { check, status: "ok", found: "all of it is in the cache" };
  const found = `${gibibytes(missing)} to download, ${gibibytes(free)} free at ${cacheFolder}`;
  if (missing < free) return { check, status: "ok", found };
  const advice = "Make room, or set HF_HUB_CACHE to a folder on another disk.";
  return { check, status: "fault", found, advice };
}

/** Weights are widened to float32; training all of them takes gradients and AdamW's two averages besides. */
const BYTES_TO_READ = 4;
const BYTES_TO_TRAIN = 16;
/** For activations, batches and Node itself. */
const BESIDE_WEIGHTS = 2 ** 29;

/** Whether so many weights fit. */
export function checkMemory(parameters: number, { total, free }: Memory): Finding {
  const check = "memory";
  const toRead = BYTES_TO_READ * parameters + BESIDE_WEIGHTS;
  const toTrain = BYTES_TO_TRAIN * parameters + BESIDE_WEIGHTS;
  const found = `needs about ${gibibytes(toRead)} to embed or sample, ${gibibytes(toTrain)} to train all weights; ${gibibytes(free)} of ${gibibytes(total)} are free`;
  if (toRead > total) {
    const advice =
      "Take a machine with more memory or a smaller checkpoint. culprit generate --base-url samples from a server; judging and ranking need no checkpoint.";
    return { check, status: "fault", found, advice };
  }
  if (toRead > free) {
    return { check, status: "warning", found, advice: "End other programs first." };
  }
  if (toTrain <= free) return { check, status: "ok", found };
  const advice = "Embedding and sampling fit. Train a LoRA adapter instead of all weights: --lora.";
  return { check, status: "warning", found, advice };
}

/** The weights of a folder, by the headers of its files. Throws what openWeights does. */
async function countWeights(folder: string): Promise<number> {
  await using weights = await openWeights(folder);
  let parameters = 0;
  for (const name of weights.names()) {
    parameters += weights.shape(name).reduce((product, size) => product * size, 1);
  }
  return parameters;
}

const BYTES_OF: Readonly<Record<string, number>> = { float32: 4, float16: 2, bfloat16: 2 };
/** As most checkpoints of the hub are stored. */
const USUAL_BYTES = 2;

/** Bytes of one weight, by what config.json says of them; transformers 5 writes `dtype`, earlier ones `torch_dtype`. */
async function bytesOfWeight(folder: string): Promise<number> {
  const path = join(folder, "config.json");
  const config = (await readJson(path, "Download it again.")) as Readonly<Record<string, unknown>>; // readModel has read it
  return BYTES_OF[String(config["dtype"] ?? config["torch_dtype"])] ?? USUAL_BYTES;
}
