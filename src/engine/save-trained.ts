import { join } from "node:path";

import { readModel } from "../model/read-model.ts";
import type { TrainingGraph } from "../model/training-graph.ts";
import {
  copyCompanions,
  writeAdapter,
  writeModelConfig,
  writeWeights,
} from "../model/write-checkpoint.ts";
import type { ParameterSlot } from "./parameter-arena.ts";
import { lastNames } from "./trainer-graph.ts";
import type { TrainerSettings, WeightDtype } from "./trainer.ts";

/** Writes what was trained into an existing folder; see Trainer.save. */
export async function saveTrained(
  dir: string,
  dtype: WeightDtype,
  trained: {
    /** The start checkpoint's folder, and its name for people. */
    readonly startDir: string;
    readonly startName: string;
    /** Where its tokenizer and chat template come from. */
    readonly tokenizerDir: string;
    /** Whether its output matrix is its embedding table, whatever its config.json says. */
    readonly isTied: boolean;
    readonly adaptation: TrainerSettings["adaptation"];
    readonly graph: TrainingGraph;
    readonly slots: readonly ParameterSlot[];
  },
): Promise<void> {
  const { startDir, startName, tokenizerDir, isTied, adaptation, graph, slots } = trained;
  if (adaptation.kind === "lora") {
    const targets = adaptation.targets ?? lastNames(graph.factors.map((each) => each.module));
    await writeAdapter(dir, slots, { ...adaptation, targets, baseName: startName }, dtype);
    return;
  }
  await copyCompanions({ tokenizerDir, modelDir: startDir }, dir);
  const { config } = await readModel(startDir);
  // A config that ties what the weights do not: releases before transformers 5 would take its word.
  const changes = config.isTied === isTied ? {} : { tie_word_embeddings: isTied };
  await writeModelConfig(startDir, dir, dtype, changes);
  await writeWeights(join(dir, "model.safetensors"), slots, dtype);
}
