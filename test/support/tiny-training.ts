import { fileURLToPath } from "node:url";

import { createRng, initCheckpoint, type TrainPair } from "../../src/index.ts";

const TOKENIZER = fileURLToPath(new URL("../golden/tokenizer/chatml", import.meta.url));

/** A Llama of some ten thousand weights with tied embeddings and the ChatML tokenizer. */
export async function writeTinyCheckpoint(dir: string, overrides: object = {}): Promise<void> {
  await initCheckpoint(
    {
      architectures: ["LlamaForCausalLM"],
      model_type: "llama",
      vocab_size: 420,
      hidden_size: 16,
      intermediate_size: 24,
      num_hidden_layers: 2,
      num_attention_heads: 2,
      num_key_value_heads: 1,
      hidden_act: "silu",
      max_position_embeddings: 128,
      rms_norm_eps: 1e-5,
      tie_word_embeddings: true,
      initializer_range: 0.2,
      rope_theta: 10_000,
      ...overrides,
    },
    TOKENIZER,
    7,
    dir,
  );
}

const WORDS = ["the", "cat", "sat", "on", "a", "mat", "dog", "ran", "far", "yes", "no", "thanks"];

/** Pairs of unequal lengths. */
export function tinyPairs(count: number): TrainPair[] {
  const rng = createRng(3);
  const words = (most: number): string =>
    Array.from({ length: 1 + rng.integer(most) }, () => WORDS[rng.integer(WORDS.length)]).join(" ");
  return Array.from({ length: count }, (_, i) => ({
    id: `pair-${i}`,
    prompt: [{ role: "user", content: words(6) }],
    chosen: [{ role: "assistant", content: `yes ${words(8)}` }],
    rejected: [{ role: "assistant", content: `no ${words(8)}` }],
  }));
}
