import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { expectFailure } from "../../test/support/errors.ts";
import {
  openSafetensors,
  type SafetensorsTensor,
  writeSafetensors,
} from "../format/safetensors.ts";
import { ConfigError, FormatError, UnsupportedError } from "../util/errors.ts";
import { createRng } from "../util/rng.ts";
import { type CheckpointWeights, openWeights } from "./checkpoint-weights.ts";
import { addLowRank } from "./lora-merge.ts";
import { applyLora } from "./lora.ts";

const GOLDEN = fileURLToPath(new URL("../../test/golden/lora/", import.meta.url));

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "culprit-lora-"));
});
afterAll(() => rm(root, { recursive: true }));

const openBase = (): Promise<CheckpointWeights> => openWeights(join(GOLDEN, "base"));

/** A copy of a golden adapter with keys set in its config and its tensors changed. */
async function adapterLike(
  name: string,
  keys: Readonly<Record<string, unknown>>,
  change: (tensors: readonly SafetensorsTensor[]) => readonly SafetensorsTensor[] = (same) => same,
): Promise<string> {
  const dir = await mkdtemp(join(root, "adapter-"));
  await cp(join(GOLDEN, name), dir, { recursive: true });
  const path = join(dir, "adapter_config.json");
  const config = JSON.parse(await readFile(path, "utf8")) as object;
  await writeFile(path, JSON.stringify({ ...config, ...keys }));
  const tensors: SafetensorsTensor[] = [];
  await using file = await openSafetensors(join(GOLDEN, name, "adapter_model.safetensors"));
  for (const [tensor, { dtype, shape }] of file.tensors) {
    tensors.push({ name: tensor, dtype, shape, bytes: await file.readBytes(tensor) });
  }
  await writeSafetensors(join(dir, "adapter_model.safetensors"), change(tensors));
  return dir;
}

async function tryApply(adapterDir: string): Promise<void> {
  await using _ = await applyLora(await openBase(), adapterDir);
}

const renamed =
  (from: RegExp, to: string) =>
  (tensors: readonly SafetensorsTensor[]): readonly SafetensorsTensor[] =>
    tensors.map((tensor) => ({ ...tensor, name: tensor.name.replace(from, to) }));

/** Largest difference, relative to the largest value. */
function distance(got: Float32Array, want: Float32Array): number {
  expect(got.length).toBe(want.length);
  const largest = want.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  return want.reduce((max, value, i) => Math.max(max, Math.abs(value - got[i]!)), 0) / largest;
}

function transposed(values: Float32Array, [rows = 1, cols = 1]: readonly number[]): Float32Array {
  return Float32Array.from(values, (_, i) => values[(i % rows) * cols + Math.floor(i / rows)]!);
}

describe("applyLora", () => {
  it.each(["plain", "rslora", "patterns", "saved", "bf16"])(
    "merges the %s adapter as PEFT does and leaves every other weight alone",
    async (name) => {
      await using base = await openBase();
      await using merged = await applyLora(await openBase(), join(GOLDEN, name));
      await using want = await openSafetensors(join(GOLDEN, name, "merged.safetensors"));
      expect([...want.tensors.keys()].every((weight) => merged.has(weight))).toBe(true);
      for (const weight of merged.names()) {
        const isChanged = want.tensors.has(weight);
        const expected = isChanged
          ? new Float32Array((await want.readBytes(weight)).buffer)
          : await base.readFloat32(weight);
        const got = await merged.readFloat32(weight);
        expect(distance(got, expected)).toBeLessThanOrEqual(isChanged ? 1e-6 : 0);
        const shape = merged.shape(weight);
        const isMatrix = shape.length === 2;
        const flipped = await merged.readFloat32(weight, { transpose: isMatrix });
        const expectedFlipped = isMatrix ? transposed(expected, shape) : expected;
        expect(distance(flipped, expectedFlipped)).toBeLessThanOrEqual(isChanged ? 1e-6 : 0);
      }
    },
  );

  it("reads tensor names with the adapter's name in them", async () => {
    const dir = await adapterLike(
      "plain",
      {},
      renamed(/lora_([AB])\.weight/, "lora_$1.default.weight"),
    );
    await using named = await applyLora(await openBase(), dir);
    await using plain = await applyLora(await openBase(), join(GOLDEN, "plain"));
    const weight = "model.layers.1.self_attn.v_proj.weight";
    expect(await named.readFloat32(weight)).toEqual(await plain.readFloat32(weight));
  });

  it("adapts weights that are stored [in, out] where fan_in_fan_out says so", async () => {
    const dir = await mkdtemp(join(root, "conv1d-"));
    await writeFile(join(dir, "config.json"), "{}");
    await writeFile(
      join(dir, "adapter_config.json"),
      JSON.stringify({ peft_type: "LORA", r: 1, lora_alpha: 2, fan_in_fan_out: true }),
    );
    const tensor = (
      name: string,
      shape: readonly number[],
      values: readonly number[],
    ): SafetensorsTensor => ({
      name,
      dtype: "F32",
      shape,
      bytes: new Uint8Array(Float32Array.from(values).buffer),
    });
    await writeSafetensors(join(dir, "model.safetensors"), [
      tensor("c.weight", [3, 2], [0, 0, 0, 0, 0, 0]),
    ]);
    await writeSafetensors(join(dir, "adapter_model.safetensors"), [
      tensor("base_model.model.c.lora_A.weight", [1, 3], [1, 2, 3]),
      tensor("base_model.model.c.lora_B.weight", [2, 1], [1, 10]),
    ]);
    await using merged = await applyLora(await openWeights(dir), dir);
    expect([...(await merged.readFloat32("c.weight"))]).toEqual([2, 20, 4, 40, 6, 60]);
    expect([...(await merged.readFloat32("c.weight", { transpose: true }))]).toEqual([
      2, 4, 6, 20, 40, 60,
    ]);
  });

  it("has the adapter's weights and config in its hash", async () => {
    const hash = async (dir: string): Promise<string> => {
      await using merged = await applyLora(await openBase(), dir);
      return merged.contentHash();
    };
    await using base = await openBase();
    const hashes = [
      await base.contentHash(),
      await hash(join(GOLDEN, "plain")),
      await hash(await adapterLike("plain", { lora_alpha: 17 })),
      await hash(join(GOLDEN, "rslora")),
    ];
    expect(new Set(hashes).size).toBe(4);
    const copy = await mkdtemp(join(root, "copy-"));
    await cp(join(GOLDEN, "plain"), copy, { recursive: true });
    expect(await hash(copy)).toBe(hashes[1]);
  });

  it.each([
    { bias: "some" },
    { peft_type: "IA3" },
    { init_lora_weights: "pissa" },
    { target_parameters: ["x"] },
    { layer_replication: [[0, 1]] },
    { alora_invocation_tokens: [1] },
    { some_new_switch: "on" },
    { some_new_number: 0.5 },
  ])("refuses %j by the key's name", async (keys) => {
    const applying = tryApply(await adapterLike("plain", keys));
    await expect(applying).rejects.toThrow(UnsupportedError);
    await expect(applying).rejects.toThrow(Object.keys(keys)[0]);
  });

  it.each([
    [
      { peft_type: "OFT", r: 0, oft_block_size: 4 },
      /peft_type: expected "LORA", got "OFT"$/,
      /Merge/,
    ],
    [
      { peft_type: "PROMPT_TUNING" },
      /got "PROMPT_TUNING"$/,
      /changes no weights and cannot be merged/,
    ],
  ])("names the kind of another adapter before anything else: %j", async (keys, message, hint) => {
    const error = await expectFailure(tryApply(await adapterLike("plain", keys)), UnsupportedError);
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
  });

  it.each([
    [{ use_dora: true }, "magnitude vector"],
    [{ lora_bias: true }, "bias"],
    [{ trainable_token_indices: [3] }, "trainable_token_indices"],
  ] as const)("misses the tensors that %j announces", async (keys, message) => {
    const applying = tryApply(await adapterLike("plain", keys));
    await expect(applying).rejects.toThrow(FormatError);
    await expect(applying).rejects.toThrow(message);
  });

  it("takes unknown keys that are switched off", async () => {
    const dir = await adapterLike("plain", {
      new_switch: false,
      new_list: [],
      new_map: {},
      new_text: null,
    });
    await expect(tryApply(dir)).resolves.toBeUndefined();
  });

  it.each([
    { r: 0 },
    { r: "4" },
    { lora_alpha: null },
    { rank_pattern: { q_proj: 1.5 } },
    { modules_to_save: "lm_head" },
    { peft_type: undefined },
  ])("refuses the wrong type in %j", async (keys) => {
    const applying = tryApply(await adapterLike("plain", keys));
    await expect(applying).rejects.toThrow(FormatError);
    await expect(applying).rejects.toThrow(Object.keys(keys)[0]);
  });

  it.each([
    [
      "a tensor of no base weight",
      renamed(/layers\.0\.self_attn\.q/, "layers.7.self_attn.q"),
      FormatError,
      `"model.layers.7.self_attn.q_proj.weight", which the checkpoint lacks`,
    ],
    [
      "two adapters in one file",
      (all: readonly SafetensorsTensor[]) => [
        ...all,
        ...renamed(/lora_A\.weight/, "lora_A.x.weight")(all.slice(0, 1)),
      ],
      FormatError,
      "are for one weight",
    ],
    [
      "half a pair",
      (all: readonly SafetensorsTensor[]) => all.slice(1),
      FormatError,
      "lacks its other half",
    ],
    [
      "a whole module left out",
      (all: readonly SafetensorsTensor[]) => all.slice(2),
      FormatError,
      "it has no tensors",
    ],
    ["no tensors", () => [], FormatError, "expected LoRA tensors, got none"],
    [
      "factors of an embedding and of a layer for one weight",
      renamed(/lora_A\.weight/, "lora_embedding_A"),
      FormatError,
      "lacks its other half",
    ],
    [
      "a parameter of another kind",
      renamed(/lora_A\.weight/, "lora_arrow_keys"),
      UnsupportedError,
      "lora_arrow_keys",
    ],
    [
      "a magnitude that the config does not announce",
      (all: readonly SafetensorsTensor[]) => [
        ...all,
        {
          name: "base_model.model.model.layers.0.self_attn.q_proj.lora_magnitude_vector",
          dtype: "F32" as const,
          shape: [16],
          bytes: new Uint8Array(64),
        },
      ],
      FormatError,
      "use_dora is false",
    ],
    ["an adapter bias", renamed(/lora_B\.weight/, "lora_B.bias"), UnsupportedError, "lora_B"],
  ] as const)("refuses %s", async (_what, change, kind, message) => {
    const applying = tryApply(await adapterLike("plain", {}, change));
    await expect(applying).rejects.toThrow(kind);
    await expect(applying).rejects.toThrow(message);
  });

  it("refuses factors that do not fit the base weight or the rank, with both shapes", async () => {
    await expect(tryApply(await adapterLike("plain", { r: 5 }))).rejects.toThrow(
      /lora_A\.weight" should be \[5, 16\], is \[4, 16\]/,
    );
    await expect(tryApply(await adapterLike("plain", { fan_in_fan_out: true }))).rejects.toThrow(
      "fan_in_fan_out on a square weight",
    );
  });

  it("names an announced replacement that is not there", async () => {
    const dir = await adapterLike("plain", { modules_to_save: ["lm_head"] });
    await expect(tryApply(dir)).rejects.toThrow('names the module "lm_head", it has no tensors');
  });

  it("names the adapter tensor that holds a NaN", async () => {
    const dir = await adapterLike("plain", {}, ([first, ...others]) => {
      const bytes = first!.bytes.slice();
      bytes.fill(255, 4, 8);
      return [{ ...first!, bytes }, ...others];
    });
    await using merged = await applyLora(await openBase(), dir);
    const reading = merged.readFloat32("model.layers.0.self_attn.q_proj.weight");
    await expect(reading).rejects.toThrow(
      /adapter_model.safetensors: tensor ".*q_proj.lora_A.weight": NaN/,
    );
  });

  it("refuses a folder without adapter, and a broken config", async () => {
    await expect(tryApply(join(GOLDEN, "base"))).rejects.toThrow(ConfigError);
    const dir = await adapterLike("plain", {});
    await writeFile(join(dir, "adapter_config.json"), "{");
    await expect(tryApply(dir)).rejects.toThrow("not valid JSON");
  });
});

describe("addLowRank", () => {
  it.each([1, 3, 4, 5, 8])("adds scale * left * right of rank %i", (rank) => {
    const [rows, cols, scale] = [5, 7, 0.75];
    const rng = createRng(rank);
    const normals = (count: number): Float32Array =>
      Float32Array.from({ length: count }, () => rng.normal());
    const [target, left, right] = [
      normals(rows * cols),
      normals(rows * rank),
      normals(rank * cols),
    ];
    const want = target.map((value, i) => {
      let sum = 0;
      for (let k = 0; k < rank; k++) {
        sum += left[Math.floor(i / cols) * rank + k]! * right[k * cols + (i % cols)]!;
      }
      return value + scale * sum;
    });
    addLowRank(target, left, right, { rank, scale });
    expect(distance(target, want)).toBeLessThan(1e-6);
  });
});
