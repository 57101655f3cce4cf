import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { expectFailure } from "../../test/support/errors.ts";
import { ConfigError, CulpritError, UnsupportedError } from "../util/errors.ts";
import { FAMILIES, findFamily } from "./families/index.ts";
import type { ModelConfig } from "./model-config.ts";

const WHERE = "x/config.json";
const PLAIN = {
  vocab_size: 100,
  hidden_size: 32,
  intermediate_size: 48,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-5,
  max_position_embeddings: 128,
};
/** What a family's plain config has otherwise (undefined: not at all), what comes of it, and which of the bad values below it knows not. */
interface Own {
  readonly plain?: Readonly<Record<string, unknown>>;
  readonly reads?: Partial<ModelConfig>;
  readonly lacks?: readonly string[];
  /** Where config.json is silent; default: the width over the heads. */
  readonly headDim?: number;
}
const OWN: Readonly<Record<string, Own>> = {
  qwen3: { headDim: 128 },
  phi3: { lacks: ["partial_rotary_factor"] },
  smollm3: { reads: { isTied: true } },
  gemma2: { reads: { isTied: true }, lacks: ["hidden_act"], headDim: 256 },
  gemma3_text: { reads: { isTied: true }, lacks: ["hidden_act"], headDim: 256 },
  gpt_neox: {
    plain: { rms_norm_eps: undefined, num_key_value_heads: undefined },
    reads: { keyHeads: 4 },
    lacks: [
      "rms_norm_eps",
      "num_key_value_heads",
      "head_dim",
      "hidden_act",
      "partial_rotary_factor",
    ],
  },
};
const read = (config: Record<string, unknown>): ModelConfig => {
  const type = config["model_type"] ?? "llama";
  const own = OWN[type as string]?.plain ?? {}; // families have names
  const whole = Object.fromEntries(
    Object.entries({ model_type: type, ...PLAIN, ...own, ...config }).filter(
      ([, value]) => value !== undefined,
    ),
  );
  return findFamily(whole, WHERE).readConfig(whole, WHERE);
};
const has = (family: string, key: string): boolean => OWN[family]?.lacks?.includes(key) !== true;
const windows = (config: ModelConfig): (number | undefined)[] =>
  config.attention.map(({ window }) => window);

/** An error that a user can read, or a config whose parts fit together. */
function isOursOrWhole(outcome: ModelConfig | Error): boolean {
  if (outcome instanceof Error) {
    return outcome instanceof CulpritError && outcome.message.startsWith(`${WHERE}: `);
  }
  const { attention, layerCount, heads, keyHeads, headDim } = outcome;
  return attention.length === layerCount && heads % keyHeads === 0 && headDim % 2 === 0;
}

describe.each(FAMILIES.map(({ name }) => name))("%s", (family) => {
  it("reads a plain config", () => {
    expect(read({ model_type: family })).toMatchObject({
      vocabSize: 100,
      dim: 32,
      mlpDim: 48,
      layerCount: 4,
      heads: 4,
      keyHeads: 2,
      epsilon: 1e-5,
      maxPositions: 128,
      isTied: false,
      ...OWN[family]?.reads,
    });
  });

  it("passes over keys that change no activation", () => {
    const inert = {
      architectures: ["A"],
      _name_or_path: "somewhere",
      bos_token_id: 1,
      eos_token_id: [2, 3],
      pad_token_id: null,
      torch_dtype: "bfloat16",
      use_cache: false,
      attention_dropout: 0.1,
      transformers_version: "4.57.1",
      initializer_range: 0.02,
      do_sample: true,
      max_length: 20,
      temperature: 0.6,
      quantization_config: null,
      never_heard_of: null,
      pruned_heads: {},
      resid_pdrop: 0.1,
      num_labels: 2,
      neftune_noise_alpha: 5,
      full_attn_mod: 1,
      interpolate_factor: 1,
      lm_head_bias: false,
    };
    expect(read({ model_type: family, ...inert })).toEqual(read({ model_type: family }));
  });

  it.each([{ full_attn_mod: 2 }, { interpolate_factor: 2 }, { lm_head_bias: true }])(
    "refuses a value of such a key that would change one: %j",
    (odd) => {
      expect(() => read({ model_type: family, ...odd })).toThrow(Object.keys(odd)[0]);
    },
  );

  it("refuses a key that it does not read, naming it", async () => {
    const odd = { model_type: family, logit_scale: 8, embedding_factor: 12 };
    const error = await expectFailure(() => read(odd), UnsupportedError);
    expect(error.message).toMatch(/^x\/config\.json: .*"logit_scale", "embedding_factor"/);
  });

  it.each(["quantization_config", "norm_eps", "window_length", "pruned_heads"])(
    "never passes over %s",
    async (key) => {
      await expectFailure(() => read({ model_type: family, [key]: { a: 1 } }), UnsupportedError);
    },
  );

  const bad: [string, unknown][] = [
    ["hidden_size", undefined],
    ["num_hidden_layers", 0],
    ["vocab_size", "many"],
    ["rms_norm_eps", -1],
    ["intermediate_size", 4.5],
    ["hidden_act", "gelu_new"],
    ["tie_word_embeddings", "yes"],
    ["partial_rotary_factor", 0.5],
    ["clip_qkv", 8],
  ];
  it.each(bad.filter(([key]) => has(family, key)))(
    "refuses %s: %j, naming it",
    async (key, value) => {
      const error = await expectFailure(
        () => read({ model_type: family, [key]: value }),
        ConfigError,
      );
      expect(error.message).toContain(`x/config.json: "${key}": `);
    },
  );

  it("refuses heads that do not fit together", async () => {
    if (!has(family, "num_key_value_heads")) {
      await expectFailure(() => read({ model_type: family, num_attention_heads: 3 }), ConfigError);
      return;
    }
    const grouped = { model_type: family, num_attention_heads: 4, num_key_value_heads: 3 };
    const error = await expectFailure(() => read(grouped), ConfigError);
    expect(error.message).toMatch(
      /"num_attention_heads" 4 is not a multiple of "num_key_value_heads" 3/,
    );
    await expectFailure(() => read({ model_type: family, head_dim: 7 }), ConfigError);
  });

  it("ends every hostile config in an error of ours or in a config that holds together", () => {
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.integer({ min: -2, max: 64 }),
      fc.constantFrom("default", "linear", "yarn", "sliding_attention", null, true),
    );
    const keys = [
      ...Object.keys(PLAIN),
      "head_dim",
      "rope_theta",
      "rope_scaling",
      "rope_parameters",
      "layer_types",
      "__proto__",
      "sliding_window",
      "attention_bias",
      "mlp_bias",
      "use_sliding_window",
      "max_window_layers",
    ];
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...keys), value, { maxKeys: 4 }), (changes) => {
        let outcome: ModelConfig | Error;
        try {
          outcome = read({ model_type: family, ...changes });
        } catch (error) {
          outcome = error as Error; // looked at just below
        }
        expect(outcome).toSatisfy(isOursOrWhole);
      }),
      { seed: 4, numRuns: 300 },
    );
  });
});

describe("what families add", () => {
  it("mistral slides on every layer, or on none", () => {
    expect(windows(read({ model_type: "mistral" }))).toEqual([4096, 4096, 4096, 4096]);
    expect(windows(read({ model_type: "mistral", sliding_window: 9 }))).toEqual([9, 9, 9, 9]);
    const none = [undefined, undefined, undefined, undefined];
    expect(windows(read({ model_type: "mistral", sliding_window: null }))).toEqual(none);
  });

  it("mistral with layer_types slides where they say so, as ministral does", async () => {
    const layer_types = Array.from({ length: 4 }, (_, i) =>
      i % 2 === 0 ? "full_attention" : "sliding_attention",
    );
    for (const model_type of ["mistral", "ministral"]) {
      const mixed = { model_type, layer_types, sliding_window: 9 };
      expect(windows(read(mixed))).toEqual([undefined, 9, undefined, 9]);
      await expectFailure(() => read({ ...mixed, sliding_window: null }), UnsupportedError);
      const full = { ...mixed, layer_types: Array(4).fill("full_attention"), sliding_window: null };
      expect(windows(read(full))).toEqual(Array(4).fill(undefined));
    }
  });

  it("olmo3 has a full layer after three sliding ones, or as layer_types says", () => {
    const model = { model_type: "olmo3", sliding_window: 9 };
    expect(windows(read(model))).toEqual([9, 9, 9, undefined]);
    const types = ["full_attention", "sliding_attention", "full_attention", "sliding_attention"];
    expect(windows(read({ ...model, layer_types: types }))).toEqual([undefined, 9, undefined, 9]);
  });

  it("qwen slides from max_window_layers on, and only where it is switched on", () => {
    const model = { sliding_window: 9, max_window_layers: 2 };
    for (const model_type of ["qwen2", "qwen3"]) {
      const off = [undefined, undefined, undefined, undefined];
      expect(windows(read({ model_type, ...model }))).toEqual(off);
      const on = read({ model_type, ...model, use_sliding_window: true });
      expect(windows(on)).toEqual([undefined, undefined, 9, 9]);
    }
  });

  it("layer_types must be one known type a layer", async () => {
    const short = { model_type: "olmo3", layer_types: ["full_attention"] };
    expect((await expectFailure(() => read(short), ConfigError)).message).toMatch(
      /"layer_types" has 1 entries/,
    );
    const odd = { model_type: "olmo3", layer_types: Array(4).fill("linear_attention") as string[] };
    const error = await expectFailure(() => read(odd), UnsupportedError);
    expect(error.message).toMatch(/"layer_types\.0".*got "linear_attention"/);
  });

  it("head size is the width over the heads, save where the family has its own", () => {
    for (const { name } of FAMILIES) {
      expect(read({ model_type: name }).headDim, `the family ${name}`).toBe(
        OWN[name]?.headDim ?? 8,
      );
      if (!has(name, "head_dim")) continue;
      expect(read({ model_type: name, head_dim: 12 }).headDim, `the family ${name}`).toBe(12);
    }
  });

  it("gpt_neox turns the share of each head that rotary_pct says, and refuses a second answer", async () => {
    const neox = (changes: Record<string, unknown>): ModelConfig =>
      read({ model_type: "gpt_neox", num_attention_heads: 2, ...changes });
    expect(neox({}).rotaryDim).toBe(4);
    expect(neox({ rotary_pct: 1 }).rotaryDim).toBe(16);
    expect(neox({ rope_parameters: { partial_rotary_factor: 0.5 } }).rotaryDim).toBe(8);
    expect(neox({ rotary_emb_base: 7, rope_theta: 7 }).attention[0]?.rope?.theta).toBe(7);
    for (const other of [{ rope_theta: 7 }, { partial_rotary_factor: 0.5 }]) {
      const error = await expectFailure(() => neox(other), UnsupportedError);
      expect(error.message).toContain(Object.keys(other)[0]);
    }
    for (const share of [0.1, 0, 2, "half"]) {
      await expectFailure(
        () => neox({ rope_parameters: { partial_rotary_factor: share } }),
        ConfigError,
      );
    }
  });

  it("phi3 reads longrope under each of its names, with the original length from outside the setting", () => {
    const phi = (type: string): ModelConfig =>
      read({
        model_type: "phi3",
        rope_scaling: { type, short_factor: [1, 1, 1, 1], long_factor: [2, 2, 2, 2] },
        original_max_position_embeddings: 32,
      });
    const rope = phi("longrope").attention[0]?.rope;
    expect(rope).toMatchObject({ kind: "longrope", originalMaxPositions: 32 });
    expect(phi("su").attention[0]?.rope).toEqual(rope);
    expect(phi("yarn").attention[0]?.rope).toEqual(rope);
    expect(() =>
      read({ model_type: "phi3", rope_scaling: { type: "linear", factor: 2 } }),
    ).toThrowError(/rope type "linear": expected default or longrope/);
  });

  it("a kind in the old spelling is refused where transformers 5 passes over it", async () => {
    for (const model_type of ["olmo3", "gemma3_text"]) {
      const old = { model_type, rope_scaling: { type: "linear", factor: 2 } };
      await expectFailure(() => read(old), UnsupportedError);
      const scaled = read({ ...old, rope_scaling: { rope_type: "linear", factor: 2 } });
      expect(scaled.attention.some(({ rope }) => rope?.kind === "linear")).toBe(
        scaled.attention.some(({ window }) => window === undefined),
      );
    }
  });

  it("biases are where the family has them", () => {
    const biases = (config: Record<string, unknown>): boolean[] => {
      const { hasQkvBias, hasOutputBias, hasMlpBias } = read(config);
      return [hasQkvBias, hasOutputBias, hasMlpBias];
    };
    expect(biases({ model_type: "qwen2" })).toEqual([true, false, false]);
    expect(biases({ model_type: "llama" })).toEqual([false, false, false]);
    expect(biases({ model_type: "llama", attention_bias: true })).toEqual([true, true, false]);
    expect(biases({ model_type: "llama", mlp_bias: true })).toEqual([false, false, true]);
  });

  it("olmo3 reads one rope setting for each kind of layer, and refuses any other form", async () => {
    const olmo3 = (rope_parameters: unknown): ModelConfig =>
      read({ model_type: "olmo3", rope_parameters });
    const { attention } = olmo3({
      full_attention: { rope_type: "linear", factor: 2, rope_theta: 7 },
      sliding_attention: { rope_theta: 8 },
    });
    expect(attention.slice(2).map(({ rope }) => rope)).toEqual([
      { kind: "default", theta: 8 },
      { kind: "linear", theta: 7, factor: 2 },
    ]);
    const flat = await expectFailure(
      () => olmo3({ rope_type: "linear", factor: 2 }),
      UnsupportedError,
    );
    expect(flat.message).toMatch(/"rope_type", "factor"/);
    const odd = await expectFailure(() => olmo3({ full_attention: 3 }), ConfigError);
    expect(odd.message).toMatch(/^x\/config\.json: "rope_parameters\.full_attention": /);
  });

  it("olmo3 refuses a rope_theta that its layers would share", async () => {
    await expectFailure(() => read({ model_type: "olmo3", rope_theta: 1000 }), UnsupportedError);
  });
});
