import { z } from "zod";

import { choleskyFactor, choleskySolve } from "../../stats/cholesky.ts";
import type { VectorStore } from "../../store/open-store.ts";
import { bytesPerElement } from "../../store/shard-layout.ts";
import { ConfigError } from "../../util/errors.ts";
import { covariance } from "../covariance.ts";
import { defineMethod, type MethodWork } from "../method.ts";
import { rankStore } from "../rank-store.ts";
import { requireSameSpace, sharedLayers } from "../require-same-space.ts";
import { SCORER_TRAITS } from "../scorer.ts";
import { meanVector } from "../stream-products.ts";

/** Dimensions at most: the matrix and its factor take 16 bytes for each pair of them, 256 MiB here, and the factor D³ / 3 steps. */
export const MAX_WHITENED_DIM = 4096;

/**
 * v_dᵀ (Σ + λI)⁻¹ v, divided by the length of (Σ + λI)⁻¹ v: directions in which all pairs differ count less (Bergson's board of methods). Σ is
 * the covariance of all pairs' vectors at the layer, λ `ridge` times its mean variance. With Σ = diag(4, 1), λ = 0, v = (1, 1) and
 * v_d = (4, 1) it is (1 + 1) / ‖(0.25, 1)‖ = 1.94.
 */
export const whitened = defineMethod({
  name: "whitened",
  meaning:
    "As the probe, in a space where the pairs' vectors vary alike in all directions: what sets few pairs apart counts more.",
  features: "states",
  settings: z.strictObject({
    ridge: z
      .number()
      .min(1e-6)
      .max(1e6)
      .default(0.1)
      .describe("whitened: λ, in mean variances of the pairs' vectors; large: the projection."),
  }),
  needs: ["store", "behavior"],
  describe: ({ ridge }) => ({
    formula: `v_d · w / ‖w‖ with w = (Σ + λI)⁻¹ v, Σ the covariance of all v_d, λ = ${ridge} mean variances`,
    traits: { ...SCORER_TRAITS.projection.traits, hasLayer: true },
  }),
  score: async ({ store, behavior, layers }, { ridge }, work) => {
    expectFits(store);
    const all = [...behavior.wanted, ...behavior.unrelated];
    for (const each of all) requireSameSpace(store, each);
    const used = new Set(behavior.wanted.flatMap((each) => sharedLayers(store, each, layers)));
    const turned = all.map((each) => ({
      ...each,
      directions: new Map(each.directions),
      nullDirections: new Map(each.nullDirections),
    }));
    for (const layer of used) {
      const solve = await whitening(store, layer, { ridge, ...work });
      for (const { directions, nullDirections } of turned) {
        for (const found of [directions, nullDirections]) {
          const rows = found.get(layer);
          if (rows !== undefined) found.set(layer, solve(rows));
        }
      }
    }
    const wanted = turned.slice(0, behavior.wanted.length);
    const nullBehaviors = turned.slice(behavior.wanted.length);
    return rankStore(store, wanted, { ...work, layers, scorer: "projection", nullBehaviors });
  },
});

function expectFits({ directory, manifest }: VectorStore): void {
  if (manifest.dim <= MAX_WHITENED_DIM) return;
  throw new ConfigError(
    `${directory}: expected vectors of ${MAX_WHITENED_DIM} dimensions at most for the method whitened, got ${manifest.dim}`,
    { hint: "Its covariance would not fit; rank with the probe." },
  );
}

/** (Σ + λI)⁻¹ of rows [k, D], each of length 1. */
async function whitening(
  store: VectorStore,
  layer: number,
  { ridge, ...work }: MethodWork & { readonly ridge: number },
): Promise<(rows: Float32Array) => Float32Array> {
  const { dim, dtype } = store.manifest;
  const mean = await meanVector(store, { layer, ...work });
  work.count({ bytes: store.rows * dim * bytesPerElement(dtype), flops: 2 * store.rows * dim });
  const matrix = await covariance(store, { layer, mean, ...work });
  let trace = 0;
  for (let i = 0; i < dim; i++) trace += matrix[i * dim + i]!;
  for (let i = 0; i < dim; i++) matrix[i * dim + i]! += (ridge * trace) / dim;
  const lower = choleskyFactor(matrix, dim);
  if (lower === undefined) {
    throw new ConfigError(
      `${store.directory}, layer ${layer}: the covariance of the vectors is singular even with ridge ${ridge}`,
      { hint: "Raise --ridge; with vectors that are all the same nothing helps." },
    );
  }
  return (rows) => {
    const solved = new Float32Array(rows.length);
    for (let at = 0; at < rows.length; at += dim) {
      const row = rows.subarray(at, at + dim);
      const found = choleskySolve(lower, row);
      const length = Math.sqrt(found.reduce((sum, each) => sum + each * each, 0)) || 1;
      // Of length 1: rankings do not depend on it, and single precision holds it.
      for (let i = 0; i < dim; i++) solved[at + i] = found[i]! / length;
    }
    return solved;
  };
}
