/** @file The graph of a trainer, and how LoRA's factors start. */
import { weightRng } from "../model/initial-weights.ts";
import { linearModules, loraAName } from "../model/lora-graph.ts";
import {
  type TrainingGraph,
  trainingGraph,
  type TrainingGraphSettings,
} from "../model/training-graph.ts";
import { ConfigError } from "../util/errors.ts";
import type { OpenCheckpoint } from "./open-checkpoint.ts";
import type { ParameterSlot } from "./parameter-arena.ts";
import type { TrainerSettings } from "./trainer.ts";

/** Builds the graph. Throws ConfigError where a LoRA target fits no linear layer. */
export function buildTrainerGraph(
  { model }: OpenCheckpoint,
  settings: TrainerSettings,
): TrainingGraph {
  const { objective, adaptation } = settings;
  const lora = loraOf(adaptation);
  const graph = trainingGraph(model, { objective, lora });
  const targets = lora?.targets;
  const unused = targets?.find(
    (target) =>
      !graph.factors.some(({ module }) => module === target || module.endsWith(`.${target}`)),
  );
  if (unused === undefined) return graph;
  const known = lastNames(linearModules(graph.outputs));
  throw new ConfigError(
    `LoRA target "${unused}": expected the name of a linear layer, got none such`,
    {
      hint: `This model's blocks have ${known.join(", ")}.`,
    },
  );
}

/** The factors that are trained, undefined where every weight is. */
export function loraOf(adaptation: TrainerSettings["adaptation"]): TrainingGraphSettings["lora"] {
  if (adaptation.kind === "full") return undefined;
  const { rank, alpha, targets } = adaptation;
  return { rank, scale: alpha / rank, targets: targets ?? undefined };
}

/** As PEFT: A uniform within ±1/√in, which is Kaiming's with a = √5; B zero, so that the model starts as it is. */
export function startFactors(
  slots: readonly ParameterSlot[],
  { factors }: TrainingGraph,
  { seed }: TrainerSettings,
): void {
  const names = new Set(factors.map(({ module }) => loraAName(module)));
  for (const { name, shape, values } of slots) {
    if (!names.has(name)) continue;
    const rng = weightRng(seed, name);
    const bound = 1 / Math.sqrt(shape[0]!); // [in, rank]
    for (let i = 0; i < values.length; i++) values[i] = bound * (2 * rng.uniform() - 1);
  }
}

/** `q_proj` of `model.layers.0.self_attn.q_proj`, each once. */
export function lastNames(modules: readonly string[]): readonly string[] {
  return [
    ...new Set(modules.map((module) => module.slice(module.lastIndexOf(".") + 1))),
  ].toSorted();
}
