/** Adapters of every kind that PEFT saves, against PEFT's own logits (test/golden/adapters). */
import { readFileSync } from "node:fs";
import { cp, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import { openModel } from "../src/model/open-model.ts";
import { FormatError, UnsupportedError } from "../src/util/errors.ts";
import { relativeError } from "./support/close.ts";
import { expectFailure } from "./support/errors.ts";
import { lastLogits } from "./support/generation.ts";
import { suiteFolder } from "./support/suite-folder.ts";

const ROOT = suiteFolder();
const GOLDEN = fileURLToPath(new URL("golden/", import.meta.url));
const { cases } = JSON.parse(readFileSync(`${GOLDEN}adapters/adapters.json`, "utf8")) as {
  cases: { adapter: string; checkpoint: string; ids: number[]; logits: number[] }[];
};
/** There is no place for a bias in a layer that has none. */
const REFUSED = "lora-bias-without-bias";

describe.each(cases.filter(({ adapter }) => adapter !== REFUSED))(
  "$adapter on $checkpoint",
  ({ adapter, checkpoint, ids, logits }) => {
    it("has the logits of PEFT with the adapter beside the weights", async () => {
      const got = await lastLogits(
        `${GOLDEN}checkpoints/${checkpoint}`,
        ids,
        `${GOLDEN}adapters/${adapter}`,
      );
      expect(relativeError(got, logits)).toBeLessThan(1e-5);
    });
  },
);

it("a bias for a layer that has none is refused by name, and merging is not advised", async () => {
  const error = await expectFailure(
    openModel(`${GOLDEN}checkpoints/llama`, { adapter: `${GOLDEN}adapters/${REFUSED}` }),
    UnsupportedError,
  );
  expect(error.message).toMatch(/lora_B\.bias.*q_proj\.bias.*no bias/);
  expect(error.hint).toMatch(/PEFT cannot merge/);
});

it("an adapter trained on other weights than the checkpoint's is refused", async () => {
  const error = await expectFailure(
    openModel(`${GOLDEN}checkpoints/llama-bias`, { adapter: `${GOLDEN}adapters/head` }),
    UnsupportedError,
  );
  expect(error.message).toMatch(/lm_head\.base_layer\.weight.*differs from "lm_head\.weight"/);
});

it("pickled adapter weights are refused with the way to convert them", async () => {
  const dir = join(ROOT, "pickled");
  await cp(`${GOLDEN}adapters/tokens`, dir, { recursive: true });
  await rename(join(dir, "adapter_model.safetensors"), join(dir, "adapter_model.bin"));
  const error = await expectFailure(
    openModel(`${GOLDEN}checkpoints/llama`, { adapter: dir }),
    UnsupportedError,
  );
  expect(error.message).toMatch(/expected adapter_model\.safetensors, got pickled weights/);
  expect(error.hint).toMatch(/PeftModel\.from_pretrained.*save_pretrained/);
});

it("rows of tokens in the head alone are refused where the model is tied", async () => {
  const dir = join(ROOT, "tied-head-rows");
  await cp(`${GOLDEN}adapters/tokens-head`, dir, { recursive: true });
  const error = await expectFailure(
    openModel(`${GOLDEN}checkpoints/llama-tied`, { adapter: dir }),
    UnsupportedError,
  );
  expect(error.message).toMatch(/rows of single tokens.*lm_head\.weight/);
});

it("rows that the config announces and the file lacks are missed", async () => {
  const dir = join(ROOT, "no-rows");
  await cp(`${GOLDEN}adapters/dora`, dir, { recursive: true });
  const path = join(dir, "adapter_config.json");
  const config = JSON.parse(readFileSync(path, "utf8")) as object;
  await writeFile(path, JSON.stringify({ ...config, trainable_token_indices: [3] }));
  await expect(openModel(`${GOLDEN}checkpoints/llama`, { adapter: dir })).rejects.toThrow(
    /trainable_token_indices.*no rows/,
  );
});

it.each([
  [
    ["c_attn", "c_proj"],
    /target_modules: expected modules of the checkpoint, got \["c_attn","c_proj"\].*they are called down_proj, embed_tokens, gate_proj, k_proj/,
  ],
  [".*\\.c_attn", /target_modules: expected modules of the checkpoint, got "\.\*\\\\\.c_attn"/],
  [
    ["q_proj"],
    /down_proj\.lora_A\.weight" adapts a module that adapter_config.json does not adapt \(target_modules \["q_proj"\]/,
  ],
])("target modules that are not those of the tensors are refused: %j", async (targets, message) => {
  const dir = join(ROOT, `targets-${JSON.stringify(targets).length}`);
  await cp(`${GOLDEN}adapters/dora`, dir, { recursive: true });
  const path = join(dir, "adapter_config.json");
  const config = JSON.parse(readFileSync(path, "utf8")) as object;
  await writeFile(path, JSON.stringify({ ...config, target_modules: targets }));
  const error = await expectFailure(
    openModel(`${GOLDEN}checkpoints/llama`, { adapter: dir }),
    FormatError,
  );
  expect(error.message).toMatch(message);
});

it.each([
  { exclude_modules: ["q_proj"] },
  { exclude_modules: ["model.layers.0.self_attn.q_proj"] },
  { exclude_modules: ".*layers\\.0\\..*" },
  { layers_to_transform: [1] },
  { layers_to_transform: 1, layers_pattern: "layers" },
])("tensors of modules that the config takes out are refused: %j", async (more) => {
  const dir = join(ROOT, `taken-out-${Object.values(more).join("-").length}`);
  await cp(`${GOLDEN}adapters/dora`, dir, { recursive: true });
  const path = join(dir, "adapter_config.json");
  const config = JSON.parse(readFileSync(path, "utf8")) as object;
  const open = async (settings: object): Promise<void> => {
    await writeFile(path, JSON.stringify({ ...config, ...settings }));
    const { weights } = await openModel(`${GOLDEN}checkpoints/llama`, { adapter: dir });
    await weights[Symbol.asyncDispose]();
  };
  await expect(open(more)).rejects.toThrow(
    /lora_A\.weight" adapts a module that adapter_config\.json does not adapt/,
  );
  await open({ exclude_modules: ["lm_head"], layers_to_transform: [0, 1, 2, 3] });
});

it("target modules by a pattern, or by one of Python alone, are taken", async () => {
  const dir = join(ROOT, "pattern");
  await cp(`${GOLDEN}adapters/dora`, dir, { recursive: true });
  const path = join(dir, "adapter_config.json");
  const config = JSON.parse(readFileSync(path, "utf8")) as object;
  for (const targets of [".*\\.(q_proj|down_proj)", "(?i).*_PROJ\\Z", "all-linear"]) {
    await writeFile(path, JSON.stringify({ ...config, target_modules: targets }));
    const model = await openModel(`${GOLDEN}checkpoints/llama`, { adapter: dir });
    expect(model.weights.has("model.layers.0.self_attn.q_proj.weight")).toBe(true);
    await model.weights[Symbol.asyncDispose]();
  }
});
