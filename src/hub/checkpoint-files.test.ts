import { describe, expect, test } from "vitest";

import { FormatError, UnsupportedError } from "../util/errors.ts";
import { selectCheckpointFiles } from "./checkpoint-files.ts";
import type { RepoFile } from "./repo-file.ts";

const listed = (...paths: string[]): RepoFile[] =>
  paths.map((path) => ({ path, sizeBytes: 1, gitOid: "0".repeat(40) }));
const select = (files: readonly RepoFile[], index?: string): string[] =>
  selectCheckpointFiles("hf://o/n", files, index).map((file) => file.path);
const indexOf = (...shards: unknown[]): string =>
  JSON.stringify({ weight_map: Object.fromEntries(shards.map((shard, i) => [`t${i}`, shard])) });

describe("selectCheckpointFiles", () => {
  test("takes configuration, tokenizer and weights of the top folder and nothing else", () => {
    const wanted = ["config.json", "tokenizer.json", "chat_template.jinja", "model.safetensors"];
    const others = ["pytorch_model.bin", "README.md", "onnx/model.onnx", "sub/config.json"];
    const files = listed(...wanted, ...others, "sub/model.safetensors", "consolidated.safetensors");
    expect(select(files).toSorted()).toEqual(wanted.toSorted());
  });

  test("takes the further chat templates from their folder", () => {
    const more = "additional_chat_templates/tool_use.jinja";
    const others = ["additional_chat_templates/README.md", "sub/tool_use.jinja"];
    const files = listed("model.safetensors", more, ...others);
    expect(select(files).toSorted()).toEqual([more, "model.safetensors"]);
  });

  test("takes exactly the shards that the index names", () => {
    const files = listed(
      "model-1.safetensors",
      "model-2.safetensors",
      "old-1.safetensors",
      "model.safetensors.index.json",
    );
    const index = indexOf("model-2.safetensors", "model-1.safetensors", "model-2.safetensors");
    expect(select(files, index).toSorted()).toEqual([
      "model-1.safetensors",
      "model-2.safetensors",
      "model.safetensors.index.json",
    ]);
  });

  test("takes an adapter's weights, alone or beside a model's", () => {
    const adapter = ["adapter_config.json", "adapter_model.safetensors"];
    expect(select(listed(...adapter))).toEqual(adapter);
    expect(select(listed(...adapter, "model.safetensors"))).toContain("model.safetensors");
    expect(select(listed(...adapter, "model.safetensors"))).toContain("adapter_model.safetensors");
  });

  test.each([
    [["pytorch_model.bin"], "pickled"],
    [["pytorch_model-00001-of-00002.bin", "config.json"], "pickled"],
    [["weights/model.safetensors"], "folder below"],
    [["config.json"], "got none"],
  ])("says why %j is no checkpoint that it reads", (paths, reason) => {
    expect(() => select(listed(...paths))).toThrow(UnsupportedError);
    expect(() => select(listed(...paths))).toThrow(reason);
  });

  test.each([
    indexOf("missing.safetensors"),
    indexOf("../model.safetensors"),
    indexOf("pytorch_model.bin"),
    indexOf(7),
    indexOf(),
    "{}",
    "null",
    "[]",
    "not json",
  ])("refuses the index %s", (index) => {
    const files = listed("model.safetensors", "pytorch_model.bin");
    expect(() => select(files, index)).toThrow(FormatError);
  });
});
