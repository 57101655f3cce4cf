import { createManifest, createRng, openStoreForWriting } from "../src/index.ts";

/** The layer that the synthetic vectors belong to. */
export const SYNTHETIC_LAYER = 20;

/** Writes a store of normal random vectors; every shard holds other ones (the same numbers in other rows and signs). */
export async function writeSyntheticStore(
  directory: string,
  { rows, dim, shardRows }: { rows: number; dim: number; shardRows: number },
): Promise<void> {
  const manifest = createManifest({
    checkpoint: {
      name: "synthetic",
      checkpointHash: "synthetic",
      tokenizerHash: "synthetic",
      templateHash: "synthetic",
      family: "llama",
      layerCount: 32,
    },
    template: "chat",
    layers: [SYNTHETIC_LAYER],
    dim,
    dtype: "F16",
    maxTokens: 2048,
    shardRows,
    pairs: { contentHash: "synthetic", files: [], shape: "olmo-mix", columns: ["source"] },
  });
  const rng = createRng(0);
  // Drawing every number anew would take ten times as long as writing them.
  const pool = Float32Array.from({ length: shardRows * dim }, () => rng.normal() * 0.3);
  await using writer = await openStoreForWriting(directory, manifest);
  for (let shard = 0; shard * shardRows < rows; shard++) {
    const first = shard * shardRows;
    const count = Math.min(shardRows, rows - first);
    const vectors = new Float32Array(count * dim);
    for (let row = 0; row < count; row++) {
      const from = rng.integer(shardRows) * dim;
      const sign = rng.sign();
      for (let i = 0; i < dim; i++) vectors[row * dim + i] = sign * pool[from + i]!;
    }
    const numbers = Array.from({ length: count }, (_, i) => first + i);
    await writer.writeShard(shard, {
      ids: numbers.map((row) => `synthetic/preference-mix/${row.toString(16).padStart(16, "0")}`),
      rows: numbers,
      columns: { source: numbers.map((row) => `source-${row % 13}`) },
      tokens: Int32Array.from({ length: count * 3 }, () => 20 + rng.integer(500)),
      layers: new Map([[SYNTHETIC_LAYER, vectors]]),
    });
  }
  await writer.complete({});
}
