/** @file A checkpoint trained on the response pairs of a behaviour, for methods that ask what that does to other pairs. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ownField } from "../pairs/readers/file-row.ts";
import { readWholeRows } from "../pairs/readers/whole-rows.ts";
import type { ResponsePair } from "../pairs/response-pairs.ts";
import type { TrainResult } from "../training/metrics.ts";
import type { TrainPair } from "../training/prepare.ts";
import { RUN_FILES } from "../training/run-folder.ts";
import type { DpoSettings } from "../training/settings.ts";
import { trainDpo } from "../training/train.ts";
import { listCounts } from "../util/commonest-first.ts";
import { ConfigError } from "../util/errors.ts";
import { hashValue } from "../util/hash.ts";
import type { MethodWork } from "./method.ts";
import type { ScoringModel } from "./scoring-model.ts";

/** A checkpoint after training; disposing of it closes it. */
export interface TrainedModel extends AsyncDisposable {
  readonly model: ScoringModel;
  readonly result: TrainResult;
  /** Response pairs that were trained on. */
  readonly pairs: readonly TrainPair[];
  /** Response pairs that could not be, with what is wrong of the first; "" where there are none. */
  readonly leftOut: string;
}

/**
 * DPO from the checkpoint on the response pairs, after chosen over before. With a cache folder the result is kept there by its content: the
 * same training is done once, and an interrupted one goes on. Throws ConfigError where the checkpoint is one that cannot be trained here.
 */
export async function trainOnResponses(
  { engine, origin, ...costs }: ScoringModel,
  responses: readonly ResponsePair[],
  settings: DpoSettings,
  { cache, signal, progress }: Pick<MethodWork, "cache" | "signal" | "progress">,
): Promise<TrainedModel> {
  if (origin === undefined) {
    throw new ConfigError("checkpoint: expected one that can be trained, got one without a folder");
  }
  const { host, folder, options } = origin;
  const isLora = settings.adaptation?.kind === "lora";
  if (isLora && options.adapter !== undefined) {
    throw new ConfigError(
      "rank: expected 0, which trains every weight, for a checkpoint with an adapter: low-rank factors would be a second one",
    );
  }
  const pairs = responses.map((each): TrainPair => {
    const { id, prompt, before, after, context } = each;
    return { id, prompt, chosen: after, rejected: before, context };
  });
  const { checkpointHash, tokenizerHash, templateHash } = engine.identity;
  const name = hashValue({ pairs, settings, checkpointHash, tokenizerHash, templateHash });
  const temporary = cache === undefined ? await mkdtemp(join(tmpdir(), "culprit-")) : undefined;
  const out = join(cache ?? temporary!, `trained-${name.slice(0, 16)}`);
  const clear = async (): Promise<void> => {
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
  };
  try {
    const { weights: _, ...trained } = options; // not heeded where it is trained
    const request = { checkpoint: folder, out, host, engine: trained, signal, progress };
    const result = await trainDpo(pairs, settings, request);
    const opened = isLora
      ? await host.open(folder, { ...options, adapter: out })
      : await host.open(out, { ...options, adapter: undefined });
    return {
      model: { engine: opened, ...costs },
      result,
      pairs,
      leftOut: await describeLeftOut(join(out, RUN_FILES.unusable), pairs.length),
      async [Symbol.asyncDispose]() {
        await opened[Symbol.asyncDispose]();
        await clear();
      },
    };
  } catch (error) {
    await clear();
    throw error;
  }
}

/** A sentence of the side file that a training leaves: it is there of one that was found again, too. */
async function describeLeftOut(path: string, of: number): Promise<string> {
  const counts: Record<string, number> = {};
  let [count, first] = [0, ""];
  for await (const { fields } of readWholeRows(path, { hint: "Train again." })) {
    const reason = String(ownField(fields, "reason"));
    counts[reason] = (counts[reason] ?? 0) + 1;
    if (count++ === 0) first = String(ownField(fields, "detail"));
  }
  if (count === 0) return "";
  return `Not trained on: ${count} of ${of} response pairs (${listCounts(counts)}); the first: ${first}.`;
}
