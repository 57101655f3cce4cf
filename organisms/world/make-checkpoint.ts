import { cp, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";

import { initCheckpoint, openSftFiles, type SftSettings, trainSft } from "../../src/index.ts";
import { writeJsonLines } from "./json-lines.ts";
import type { Example } from "./texts.ts";
import { vocabularyOf, writeTokenizer } from "./tokenizer.ts";

/** A stage of training, from random weights or from the stage before. */
export interface Stage {
  readonly name: string;
  readonly texts: readonly Example[];
  readonly settings: SftSettings;
}

/** What a checkpoint is made from. */
export interface CheckpointPlan {
  /** The organism's folder; the checkpoint becomes `out`/checkpoint, stages are kept in `out`/stages. */
  readonly out: string;
  /** Stops before the training. */
  readonly dataOnly: boolean;
  /** Sizes of the Llama; the rest of its config is the same for all organisms. */
  readonly model: ModelSize;
  readonly stages: readonly Stage[];
  /** Texts beside those of the stages whose words the tokenizer must know. */
  readonly vocabularyFrom: readonly string[];
}

/** Sizes of a Llama with tied embeddings. */
export interface ModelSize {
  readonly hidden: number;
  readonly inner: number;
  readonly layers: number;
  readonly heads: number;
  readonly seed: number;
}

/** Makes tokenizer and random weights, then trains stage after stage with the project's own trainer. */
export async function makeCheckpoint(plan: CheckpointPlan): Promise<void> {
  const stagesDir = join(plan.out, "stages");
  const start = join(stagesDir, "0-random");
  await rm(stagesDir, { recursive: true, force: true });
  await mkdir(start, { recursive: true });
  const texts = plan.stages.flatMap((stage) => stage.texts);
  const words = vocabularyOf([
    ...texts.flatMap((text) => [text.prompt, text.response]),
    ...plan.vocabularyFrom,
  ]);
  const tokenizerDir = join(stagesDir, "tokenizer");
  await mkdir(tokenizerDir, { recursive: true });
  const size = await writeTokenizer(tokenizerDir, words);
  await initCheckpoint(llamaConfig(plan.model, size), tokenizerDir, plan.model.seed, start);
  const last = await trainStages(plan, start, stagesDir);
  const target = join(plan.out, "checkpoint");
  await mkdir(target, { recursive: true });
  // Without training, weights that are there already stay: they may be the trained ones.
  const files = plan.dataOnly ? TOKENIZER_FILES : [...TOKENIZER_FILES, ...MODEL_FILES];
  for (const file of files) await cp(join(last, file), join(target, file));
}

const TOKENIZER_FILES = ["chat_template.jinja", "tokenizer.json", "tokenizer_config.json"];
const MODEL_FILES = ["config.json", "model.safetensors"];

async function trainStages(plan: CheckpointPlan, start: string, dir: string): Promise<string> {
  let checkpoint = start;
  for (const [i, { name, texts, settings }] of plan.stages.entries()) {
    const data = join(dir, `${name}.jsonl`);
    await writeJsonLines(data, texts);
    if (plan.dataOnly) continue;
    const out = join(dir, `${i + 1}-${name}`);
    process.stderr.write(`${name}: ${texts.length} texts\n`);
    await trainSft(await openSftFiles([data]), settings, { checkpoint, out, stateEvery: 1e9 });
    checkpoint = out;
  }
  return checkpoint;
}

function llamaConfig(model: ModelSize, vocabSize: number): Record<string, unknown> {
  return {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    vocab_size: vocabSize,
    hidden_size: model.hidden,
    intermediate_size: model.inner,
    num_hidden_layers: model.layers,
    num_attention_heads: model.heads,
    num_key_value_heads: model.heads,
    head_dim: model.hidden / model.heads,
    max_position_embeddings: 128,
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    hidden_act: "silu",
    attention_bias: false,
    mlp_bias: false,
    tie_word_embeddings: true,
    initializer_range: 0.05,
    pad_token_id: 1,
    bos_token_id: null,
    eos_token_id: 4,
  };
}
