import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import {
  openSafetensors,
  writeSafetensors,
  type SafetensorsTensor,
} from "../format/safetensors.ts";
import { ConfigError, FormatError, RuntimeError } from "../util/errors.ts";
import { createRng } from "../util/rng.ts";
import type { ResponseActivations } from "./activations.ts";
import { behaviorReportPath, openBehavior, readBehavior, writeBehavior } from "./behavior-file.ts";
import { computeBehavior } from "./behavior.ts";
import { WEIGHTINGS } from "./mean-difference.ts";

const DIM = 6;
const SOURCE = {
  files: [{ path: "responses.jsonl", sha256: "abc", sizeBytes: 9 }],
  unusable: [
    {
      kind: "unusable",
      row: 7,
      file: "responses.jsonl",
      fileRow: 7,
      reason: "empty-side",
      detail: "before: empty",
    },
  ],
} as const;

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "culprit-behavior-"));
  path = join(folder, "complies.safetensors");
});

afterEach(() => rm(folder, { recursive: true }));

test("only what is asked for is read, and of an open behaviour nothing before", async () => {
  await writeBehavior(path, computeBehavior(collected(), { name: "complies" }), SOURCE);
  const opened = await openBehavior(path);
  const { directions, lengths, bank, layers } = await opened.read({ layers: [5], bank: false });
  expect([[...directions.keys()], [...lengths.keys()], bank.size]).toEqual([[5], [5], 0]);
  expect(directions.get(5)).toEqual((await readBehavior(path)).directions.get(5));
  // What the file has is still known.
  expect([layers, opened.layers, opened.name]).toEqual([[3, 5], [3, 5], "complies"]);
});

test.each(WEIGHTINGS)(
  "a behaviour with %s weighting comes back as it was written",
  async (weighting) => {
    const behavior = computeBehavior(collected(), { name: "complies", weighting });
    await writeBehavior(path, behavior, SOURCE);
    const stored = await readBehavior(path);
    expect(stored).toMatchObject({
      name: "complies",
      identity: { checkpointHash: "c", tokenizerHash: "t", templateHash: "h" },
      dim: DIM,
      layers: [3, 5],
      directionKind: `mean-difference-${weighting}`,
      scenarioIds: ["s0", "s1", "s2"],
    });
    for (const layer of [3, 5]) {
      const vectors = behavior.vectors.get(layer)!;
      expect(stored.directions.get(layer)).toEqual(vectors[weighting]);
      expect(stored.bank.get(layer)).toEqual(vectors.bank);
      expect(stored.nullDirections.get(layer)).toEqual(vectors.nullDirections);
      expect(vectors.nullDirections).toHaveLength(64 * DIM);
    }
  },
);

test("the report beside the vectors is JSON with every layer's diagnostics and the unusable pairs", async () => {
  await writeBehavior(path, computeBehavior(collected(), { name: "complies" }), SOURCE);
  const report = JSON.parse(await readFile(join(folder, "complies.json"), "utf8")) as object;
  expect(report).toMatchObject({
    name: "complies",
    counts: { pairs: 20, prompts: 10, unusable: 2, truncated: 2 },
    diagnostics: [{ layer: 3, splitHalf: { kind: "measured" } }, { layer: 5 }],
    unusable: [{ fileRow: 7 }, { id: "bad", reason: "empty-side" }],
  });
  expect(await readdir(folder)).toEqual(["complies.json", "complies.safetensors"]);
});

test("the same seed writes the same bytes, another seed other null directions only", async () => {
  const write = async (name: string, seed: number): Promise<Buffer> => {
    const file = join(folder, name);
    await writeBehavior(file, computeBehavior(collected(), { name: "b", seed }), SOURCE);
    return readFile(file);
  };
  expect(await write("a.safetensors", 1)).toEqual(await write("b.safetensors", 1));
  expect(await write("c.safetensors", 2)).not.toEqual(await write("a.safetensors", 1));
  const [a, c] = [
    await readBehavior(join(folder, "a.safetensors")),
    await readBehavior(join(folder, "c.safetensors")),
  ];
  expect(c.directions).toEqual(a.directions);
  expect(c.nullDirections).not.toEqual(a.nullDirections);
});

test("with too few prompts the null directions are left out and the report holds no made-up figure", async () => {
  const few = { ...collected(), promptKeys: Array.from({ length: 20 }, (_, i) => `${i % 3}`) };
  const report = await writeBehavior(path, computeBehavior(few, { name: "b" }), SOURCE);
  expect((await readBehavior(path)).nullDirections.size).toBe(0);
  expect(JSON.stringify(report)).toContain("too few prompts: 3");
  expect(report.diagnostics[0]!.isStable).toBe(false);
});

test("a difference that is not finite is named by layer and pair", () => {
  const activations = collected();
  activations.differences.get(5)![2 * DIM + 1] = Number.NaN;
  expect(() => computeBehavior(activations, { name: "b" })).toThrow(RuntimeError);
  expect(() => computeBehavior(activations, { name: "b" })).toThrow('layer 5, response pair "p2"');
});

test("a layer at which before and after are equal is refused, since it has no direction", () => {
  const activations = collected();
  activations.differences.get(3)!.fill(0);
  expect(() => computeBehavior(activations, { name: "b" })).toThrow(
    "layer 3: the mean difference is zero",
  );
});

test("only names ending in .safetensors are taken", () => {
  expect(behaviorReportPath("a/b.safetensors")).toBe("a/b.json");
  expect(() => behaviorReportPath("a/b.json")).toThrow(ConfigError);
});

test("a file cut anywhere is refused", async () => {
  await writeBehavior(path, computeBehavior(collected(), { name: "b" }), SOURCE);
  const whole = await readFile(path);
  for (const length of [0, 4, 8, 100, whole.length - 1]) {
    await writeFile(path, whole.subarray(0, length));
    await expect(readBehavior(path), `${length} bytes`).rejects.toThrow(FormatError);
  }
});

test("a safetensors file that is no behaviour is refused with a hint", async () => {
  await writeSafetensors(path, [floats("direction.3", [DIM])], { other: "x" });
  await expect(readBehavior(path)).rejects.toThrow('got no "behavior" in its metadata');
});

test.each([
  ["not JSON", () => "{", "is not JSON"],
  ["another format", (head: object) => ({ ...head, format: "x" }), "format"],
  ["a later version", (head: object) => ({ ...head, version: 3 }), "version"],
  ["no scenario ids", (head: object) => ({ ...head, scenarioIds: undefined }), "scenarioIds"],
  ["another layer convention", (head: object) => ({ ...head, layerConvention: "x" }), "layerConv"],
  ["a layer without tensors", (head: object) => ({ ...head, layers: [3, 4, 5] }), "direction.4"],
  ["another width", (head: object) => ({ ...head, dim: 7 }), "expected F32 [7], got F32 [6]"],
  ["more scenarios", (head: object) => ({ ...head, scenarioIds: ["a", "b", "c", "d"] }), "bank.3"],
])("a head with %s is refused by name", async (_what, change, message) => {
  await writeBehavior(path, computeBehavior(collected(), { name: "b" }), SOURCE);
  await rewrite((head) => change(head));
  await expect(readBehavior(path)).rejects.toThrow(FormatError);
  await expect(readBehavior(path)).rejects.toThrow(message);
});

test("a direction that is not finite is refused by name", async () => {
  await writeBehavior(path, computeBehavior(collected(), { name: "b" }), SOURCE);
  await rewrite(
    (head) => head,
    (name, bytes) => {
      if (name === "direction.5") new DataView(bytes.buffer).setFloat32(4, Number.NaN, true);
    },
  );
  await expect(readBehavior(path)).rejects.toThrow(
    'tensor "direction.5": expected finite values, got NaN at 1',
  );
});

test("a direction of zero length is refused by name", async () => {
  await writeBehavior(path, computeBehavior(collected(), { name: "b" }), SOURCE);
  await rewrite(
    (head) => head,
    (name, bytes) => {
      if (name === "direction.3") bytes.fill(0);
    },
  );
  await expect(readBehavior(path)).rejects.toThrow('tensor "direction.3" is zero');
});

/** Twenty pairs of ten prompts in three scenarios at layers 3 and 5, with a common direction. */
function collected(): ResponseActivations {
  const rng = createRng(9);
  const rows = (): Float32Array =>
    Float32Array.from({ length: 20 * DIM }, (_, i) => rng.normal() + (i % DIM === 0 ? 2 : 0));
  const numbers = Array.from({ length: 20 }, (_, i) => i);
  return {
    identity: {
      name: "tiny",
      checkpointHash: "c",
      tokenizerHash: "t",
      templateHash: "h",
      family: "llama",
      layerCount: 6,
      dim: DIM,
      maxPositions: 64,
    },
    layers: [3, 5],
    differences: new Map([
      [3, rows()],
      [5, rows()],
    ]),
    before: new Map([
      [3, rows()],
      [5, rows()],
    ]),
    responseTokens: { before: new Int32Array(20).fill(4), after: new Int32Array(20).fill(4) },
    beforeNorms: new Map([
      [3, new Float32Array(20).fill(4)],
      [5, new Float32Array(20).fill(4)],
    ]),
    pairIds: numbers.map((i) => `p${i}`),
    promptKeys: numbers.map((i) => `prompt ${i % 10}`),
    scenarios: numbers.map((i) => `s${i % 3}`),
    unusable: [{ id: "bad", reason: "empty-side", detail: "a response has no tokens" }],
    maxTokens: 64,
    truncated: 2,
  };
}

/** Writes the file again with another head and other bytes. */
async function rewrite(
  changeHead: (head: object) => object | string,
  changeBytes: (name: string, bytes: Uint8Array) => void = () => {},
): Promise<void> {
  const tensors: SafetensorsTensor[] = [];
  let head: object;
  {
    await using file = await openSafetensors(path);
    head = JSON.parse(file.metadata["behavior"]!) as object;
    for (const [name, { shape }] of file.tensors) {
      const bytes = Uint8Array.from(await file.readBytes(name));
      changeBytes(name, bytes);
      tensors.push({ name, dtype: "F32", shape, bytes });
    }
  }
  const changed = changeHead(head);
  await writeSafetensors(path, tensors, {
    behavior: typeof changed === "string" ? changed : JSON.stringify(changed),
  });
}

function floats(name: string, shape: readonly number[]): SafetensorsTensor {
  return { name, dtype: "F32", shape, bytes: new Uint8Array(shape.reduce((a, b) => a * b, 4)) };
}
