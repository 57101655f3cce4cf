import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { writeSafetensors } from "../../src/format/safetensors.ts";
import { createRng } from "../../src/util/rng.ts";

const [DIM, HEADS, WIDE, BLOCKS] = [32, 2, 48, 2];

/** Writes a random gpt_neox checkpoint of 2 blocks and 32 dimensions without a chat template, as Pythia's are, into `dir`. */
export async function makeTinyNeox(dir: string): Promise<string> {
  await mkdir(dir, { recursive: true });
  const tokenizer = fileURLToPath(new URL("../golden/tokenizer/chatml/", import.meta.url));
  await cp(join(tokenizer, "tokenizer.json"), join(dir, "tokenizer.json"));
  const { model, added_tokens: added } = JSON.parse(
    await readFile(join(dir, "tokenizer.json"), "utf8"),
  ) as { model: { vocab: Record<string, number> }; added_tokens: { id: number }[] };
  const ids = [...Object.values(model.vocab), ...added.map(({ id }) => id)];
  const vocab = 1 + ids.reduce((a, b) => Math.max(a, b), 0);
  await writeFile(join(dir, "tokenizer_config.json"), '{"tokenizer_class": "GPTNeoXTokenizer"}');
  await writeFile(join(dir, "config.json"), JSON.stringify(configOf(vocab)));
  const rng = createRng(1);
  const tensors = Object.entries(shapesOf(vocab)).map(([name, shape]) => {
    const size = shape.reduce((product, each) => product * each, 1);
    const isNorm = name.endsWith("norm.weight");
    const values = Float32Array.from({ length: size }, () =>
      isNorm ? 1 : 0.2 * (rng.uniform() - 0.5),
    );
    return { name, dtype: "F32", shape, bytes: new Uint8Array(values.buffer) } as const;
  });
  await writeSafetensors(join(dir, "model.safetensors"), tensors);
  return dir;
}

const configOf = (vocab: number): object => ({
  architectures: ["GPTNeoXForCausalLM"],
  model_type: "gpt_neox",
  vocab_size: vocab,
  hidden_size: DIM,
  intermediate_size: WIDE,
  num_hidden_layers: BLOCKS,
  num_attention_heads: HEADS,
  hidden_act: "gelu",
  max_position_embeddings: 256,
  layer_norm_eps: 1e-5,
  rotary_pct: 0.25,
  rotary_emb_base: 10000,
  use_parallel_residual: true,
  tie_word_embeddings: false,
  bos_token_id: 0,
  eos_token_id: 0,
  torch_dtype: "float32",
});

/** Names and shapes as transformers stores them: a linear layer's weight is [out, in]. */
function shapesOf(vocab: number): Readonly<Record<string, readonly number[]>> {
  const linear = (name: string, out: number, of: number): [string, number[]][] => [
    [`${name}.weight`, [out, of]],
    [`${name}.bias`, [out]],
  ];
  const norm = (name: string): [string, number[]][] => [
    [`${name}.weight`, [DIM]],
    [`${name}.bias`, [DIM]],
  ];
  const block = (i: number): [string, number[]][] => {
    const at = `gpt_neox.layers.${i}`;
    return [
      ...norm(`${at}.input_layernorm`),
      ...norm(`${at}.post_attention_layernorm`),
      ...linear(`${at}.attention.query_key_value`, 3 * DIM, DIM),
      ...linear(`${at}.attention.dense`, DIM, DIM),
      ...linear(`${at}.mlp.dense_h_to_4h`, WIDE, DIM),
      ...linear(`${at}.mlp.dense_4h_to_h`, DIM, WIDE),
    ];
  };
  return Object.fromEntries([
    ["gpt_neox.embed_in.weight", [vocab, DIM]],
    ...Array.from({ length: BLOCKS }, (_, i) => block(i)).flat(),
    ...norm("gpt_neox.final_layer_norm"),
    ["embed_out.weight", [vocab, DIM]],
  ] satisfies (readonly [string, readonly number[]])[]);
}
