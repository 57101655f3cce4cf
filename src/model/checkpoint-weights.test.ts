import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type SafetensorsTensor, writeSafetensors } from "../format/safetensors.ts";
import { ConfigError, FormatError, UnsupportedError } from "../util/errors.ts";
import { float32ToBfloat16 } from "../util/float16.ts";
import { openWeights } from "./checkpoint-weights.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "culprit-weights-"));
});
afterAll(() => rm(root, { recursive: true }));

type Files = Readonly<Record<string, readonly SafetensorsTensor[] | string>>;

/** A checkpoint folder: tensors become safetensors files, texts are written as they are. */
async function folder(files: Files): Promise<string> {
  const dir = await mkdtemp(join(root, "checkpoint-"));
  for (const [name, content] of Object.entries({ "config.json": "{}", ...files })) {
    const path = join(dir, name);
    if (typeof content === "string") await writeFile(path, content);
    else await writeSafetensors(path, content);
  }
  return dir;
}

function tensor(
  name: string,
  shape: readonly number[],
  values: readonly number[],
): SafetensorsTensor {
  return { name, dtype: "F32", shape, bytes: new Uint8Array(Float32Array.from(values).buffer) };
}

const index = (map: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({ weight_map: map });
const A = tensor("a", [2, 3], [1, 2, 3, 4, 5, 6]);
const B = tensor("b", [1], [7]);
const INDEX = "model.safetensors.index.json";

describe("openWeights", () => {
  it("reads a single file, as stored and transposed", async () => {
    await using weights = await openWeights(
      await folder({ "model.safetensors": [A, B, tensor("s", [], [9])] }),
    );
    expect([...weights.names()].toSorted()).toEqual(["a", "b", "s"]);
    expect(weights.has("a")).toBe(true);
    expect(weights.has("c")).toBe(false);
    expect(weights.shape("a")).toEqual([2, 3]);
    expect([...(await weights.readFloat32("a"))]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...(await weights.readFloat32("a", { transpose: true }))]).toEqual([1, 4, 2, 5, 3, 6]);
    expect([...(await weights.readFloat32("s"))]).toEqual([9]);
  });

  it("reads shards by their index", async () => {
    const dir = await folder({
      "x-1.safetensors": [A],
      "x-2.safetensors": [B],
      [INDEX]: index({ a: "x-1.safetensors", b: "x-2.safetensors" }),
    });
    await using weights = await openWeights(dir);
    expect([...(await weights.readFloat32("b"))]).toEqual([7]);
    expect(weights.shape("a")).toEqual([2, 3]);
  });

  it("takes a tensor that several shards hold from the one that the index names", async () => {
    const newer = tensor("a", [1], [3]);
    const dir = await folder({
      "x-1.safetensors": [A, B],
      "x-2.safetensors": [newer, B],
      [INDEX]: index({ a: "x-2.safetensors", b: "x-1.safetensors" }),
    });
    await using weights = await openWeights(dir);
    expect([...(await weights.readFloat32("a"))]).toEqual([3]);
    expect([...(await weights.readFloat32("b"))]).toEqual([7]);
  });

  it("takes a tensor that the index forgot from where it is", async () => {
    const dir = await folder({ "x.safetensors": [A, B], [INDEX]: index({ a: "x.safetensors" }) });
    await using weights = await openWeights(dir);
    expect([...(await weights.readFloat32("b"))]).toEqual([7]);
  });

  it("reads tensors of several pieces, several at once, without mixing their buffers", async () => {
    const rows = 3001;
    const cols = 701;
    const values = Float32Array.from({ length: rows * cols }, (_, i) => (i * 7) % 251);
    const words = float32ToBfloat16(values);
    const large = (name: string): SafetensorsTensor => ({
      name,
      dtype: "BF16",
      shape: [rows, cols],
      bytes: new Uint8Array(words.buffer),
    });
    await using weights = await openWeights(
      await folder({ "model.safetensors": [large("l"), large("m")] }),
    );
    const [plain, transposed] = await Promise.all([
      weights.readFloat32("l"),
      weights.readFloat32("m", { transpose: true }),
    ]);
    // Not toEqual: it takes seconds on millions of values.
    expect(plain.findIndex((value, i) => value !== values[i])).toBe(-1);
    const wrong = transposed.findIndex(
      (value, i) => value !== values[(i % rows) * cols + Math.floor(i / rows)],
    );
    expect(wrong).toBe(-1);
  });

  it.each([
    [
      "an index without its shard",
      { [INDEX]: index({ a: "x.safetensors" }) },
      FormatError,
      `names the shard "x.safetensors", which is not there`,
    ],
    [
      "an index that leads out of the folder",
      { [INDEX]: index({ a: "../x.safetensors" }) },
      FormatError,
      `got "../x.safetensors"`,
    ],
    [
      "an index to an absolute path",
      { [INDEX]: index({ a: "/x.safetensors" }) },
      FormatError,
      "beside the index",
    ],
    [
      "an index with a backslash",
      { [INDEX]: index({ a: "..\\x.safetensors" }) },
      FormatError,
      "beside the index",
    ],
    ["an index to a pickle", { [INDEX]: index({ a: "x.bin" }) }, FormatError, "beside the index"],
    ["an index to a number", { [INDEX]: index({ a: 1 }) }, FormatError, "got 1"],
    ["an empty index", { [INDEX]: index({}) }, FormatError, "weight_map is empty"],
    ["an index without map", { [INDEX]: "[]" }, FormatError, "expected an object weight_map"],
    ["a broken index", { [INDEX]: "{" }, FormatError, "not valid JSON"],
    [
      "a tensor twice in the index",
      { [INDEX]: `{"weight_map":{"a":"x.safetensors","a":"y.safetensors"}}` },
      FormatError,
      `"a" is there twice`,
    ],
    [
      "a listed tensor that no shard has",
      { "x.safetensors": [A], [INDEX]: index({ a: "x.safetensors", b: "x.safetensors" }) },
      FormatError,
      `puts tensor "b" in x.safetensors, it is not there`,
    ],
    [
      "a tensor whose later copy in another shard differs from the one that the index names",
      {
        "x.safetensors": [A],
        "y.safetensors": [tensor("a", [1], [3]), B],
        [INDEX]: index({ a: "x.safetensors", b: "y.safetensors" }),
      },
      FormatError,
      `puts tensor "a" in x.safetensors, and y.safetensors has other values for it`,
    ],
    [
      "two sets of weights",
      { "model.safetensors": [A], "x.safetensors": [A], [INDEX]: index({ a: "x.safetensors" }) },
      ConfigError,
      "has both",
    ],
    [
      "a corrupt file",
      { "model.safetensors": "<html>page not found</html>" },
      FormatError,
      "model.safetensors: expected a safetensors file",
    ],
    [
      "pickled weights alone",
      { "pytorch_model.bin": "x" },
      UnsupportedError,
      "pickled weights (pytorch_model.bin)",
    ],
    [
      "pickled shards",
      { "pytorch_model.bin.index.json": "x" },
      UnsupportedError,
      "pickled weights",
    ],
    ["no weights", {}, ConfigError, "got neither"],
    [
      "shards without index",
      { "model-00001-of-00002.safetensors": [A] },
      ConfigError,
      "only files such as model-00001",
    ],
  ] as const)("refuses %s", async (_what, files: Files, kind, message) => {
    const opening = openWeights(await folder(files));
    await expect(opening).rejects.toThrow(kind);
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.toMatchObject({ hint: expect.any(String) });
  });

  it("refuses a folder that is not there, and one without config.json", async () => {
    await expect(openWeights(join(root, "nowhere"))).rejects.toThrow(ConfigError);
    await expect(openWeights(root)).rejects.toThrow("expected config.json");
  });
});

describe("readFloat32", () => {
  it("names tensor and place of a NaN or an infinity", async () => {
    const dir = await folder({
      "model.safetensors": [
        tensor("w", [2, 3], [1, 2, 3, 4, 5, NaN]),
        tensor("v", [2], [-Infinity, 1]),
      ],
    });
    await using weights = await openWeights(dir);
    await expect(weights.readFloat32("w")).rejects.toThrow(FormatError);
    await expect(weights.readFloat32("w")).rejects.toThrow(
      'model.safetensors: tensor "w": NaN or infinite value at [1, 2]',
    );
    await expect(weights.readFloat32("w", { transpose: true })).rejects.toThrow("at [1, 2]");
    await expect(weights.readFloat32("v")).rejects.toThrow("at [0]");
  });

  it("refuses other dtypes by name", async () => {
    const dir = await folder({
      "model.safetensors": [{ name: "q", dtype: "I32", shape: [1], bytes: new Uint8Array(4) }],
    });
    await using weights = await openWeights(dir);
    await expect(weights.readFloat32("q")).rejects.toThrow(UnsupportedError);
    await expect(weights.readFloat32("q")).rejects.toThrow(
      '"q": expected F32, F16 or BF16, got I32',
    );
  });

  it("says that a weight is missing or has another shape", async () => {
    await using weights = await openWeights(await folder({ "model.safetensors": [A] }));
    await expect(weights.readFloat32("no")).rejects.toThrow('lack the tensor "no"');
    expect(() => weights.expectShape("no", [1])).toThrow(FormatError);
    expect(() => weights.expectShape("a", [3, 2])).toThrow(
      "should be [3, 2] by config.json, is [2, 3]",
    );
    expect(() => weights.expectShape("a", [2, 3, 1])).toThrow(FormatError);
    expect(() => weights.expectShape("a", [2, 3])).not.toThrow();
  });
});

describe("contentHash", () => {
  it("depends on weights and config, not on the folder", async () => {
    const hash = async (files: Files): Promise<string> => {
      await using weights = await openWeights(await folder(files));
      return weights.contentHash();
    };
    const plain = await hash({ "model.safetensors": [A, B] });
    expect(plain).toMatch(/^[0-9a-f]{64}$/);
    expect(await hash({ "model.safetensors": [A, B], "README.md": "x" })).toBe(plain);
    expect(await hash({ "model.safetensors": [A, tensor("b", [1], [8])] })).not.toBe(plain);
    expect(await hash({ "model.safetensors": [A, B], "config.json": `{"x":1}` })).not.toBe(plain);
  });
});
