/** @file A small store and behaviours that fit it, of known directions. */
import { join } from "node:path";

import { writeBehavior } from "../../src/behavior/behavior-file.ts";
import { computeBehavior } from "../../src/behavior/behavior.ts";
import type { VectorStoreManifest } from "../../src/index.ts";
import { createRng } from "../../src/util/rng.ts";
import { temporaryFolder } from "./data-files.ts";
import { SMALL_CHECKPOINT, smallManifest, writeSmallStore } from "./small-store.ts";

const DIM = 8;

/** A store of 20 pairs at layers 1 and 3, half of them along the first axis. */
export async function makeStore(changes: Partial<VectorStoreManifest> = {}): Promise<string> {
  const folder = join(await temporaryFolder(), "store");
  const rng = createRng(2);
  const manifest = smallManifest({ dim: DIM, shardRows: 6, ...changes });
  await writeSmallStore(folder, manifest, 20, (_, row, i) =>
    i === 0 ? (row % 2 === 0 ? 3 : -3) : rng.normal() / 4,
  );
  return folder;
}

/** A behaviour along the first axis. */
export async function makeBehavior(
  name: string,
  layers = [1, 3],
  checkpointHash?: string,
  strength = 2,
): Promise<string> {
  const rng = createRng(8);
  const names = Array.from({ length: 12 }, (_, i) => `prompt-${i}`);
  const draw = (): Float32Array =>
    Float32Array.from(
      { length: 12 * DIM },
      (_, i) => (i % DIM === 0 ? strength : 0) + rng.normal(),
    );
  const behavior = computeBehavior(
    {
      identity: {
        ...SMALL_CHECKPOINT,
        dim: DIM,
        maxPositions: 64,
        checkpointHash: checkpointHash ?? SMALL_CHECKPOINT.checkpointHash,
      },
      layers,
      differences: new Map(layers.map((layer) => [layer, draw()])),
      before: new Map(layers.map((layer) => [layer, new Float32Array(12 * DIM)])),
      responseTokens: { before: new Int32Array(12).fill(4), after: new Int32Array(12).fill(4) },
      beforeNorms: new Map(layers.map((layer) => [layer, new Float32Array(12).fill(9)])),
      pairIds: names,
      promptKeys: names,
      scenarios: names,
      unusable: [],
      maxTokens: 100,
      truncated: 0,
    },
    { name },
  );
  const path = join(await temporaryFolder(), `${name}.safetensors`);
  await writeBehavior(path, behavior, { files: [], unusable: [] });
  return path;
}
