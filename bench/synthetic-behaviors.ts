import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { behaviorReportPath } from "../src/behavior/behavior-file.ts";
import { headSchema } from "../src/behavior/behavior-head.ts";
import { NULL_CONVENTIONS } from "../src/behavior/probe-kind.ts";
import { writeSafetensors } from "../src/format/safetensors.ts";
import { createRng, openStore } from "../src/index.ts";
import { LAYER_CONVENTION } from "../src/store/vector-store-manifest.ts";
import { SYNTHETIC_LAYER } from "./rank-store-synthetic.ts";

export interface SyntheticBehaviors {
  /** Files to write. */
  readonly count: number;
  /** Vectors of each bank; default 150. */
  readonly scenarios?: number | undefined;
  /** Null directions of each layer; default 64. */
  readonly nulls?: number | undefined;
  /** Default: the layer of the synthetic store alone. */
  readonly layers?: readonly number[] | undefined;
}

/** Writes behaviour files of normal random vectors that fit a synthetic store, below `folder`; gives their paths. */
export async function writeSyntheticBehaviors(
  folder: string,
  store: string,
  { count, scenarios = 150, nulls = 64, layers = [SYNTHETIC_LAYER] }: SyntheticBehaviors,
): Promise<string[]> {
  const { manifest } = await openStore(store);
  const { checkpoint, dim } = manifest;
  const rng = createRng(1);
  // Drawing every number anew would take longer than the work.
  const pool = Float32Array.from({ length: 2 ** 20 + dim }, () => rng.normal());
  const draw = (rows: number): Float32Array => {
    const values = new Float32Array(rows * dim);
    for (let row = 0; row < rows; row++) {
      const from = rng.integer(2 ** 20);
      values.set(pool.subarray(from, from + dim), row * dim);
    }
    return values;
  };
  const tensor = (of: string, layer: number, rows?: number) => ({
    name: `${of}.${layer}`,
    dtype: "F32" as const,
    shape: rows === undefined ? [dim] : [rows, dim],
    bytes: new Uint8Array(draw(rows ?? 1).buffer),
  });
  const paths: string[] = [];
  for (let b = 0; b < count; b++) {
    const name = `behavior-${b}`;
    const path = join(folder, `${name}.safetensors`);
    const head = headSchema.parse({
      format: "culprit-behavior",
      version: 2,
      name,
      checkpoint,
      dim,
      layers,
      layerConvention: LAYER_CONVENTION,
      sign: "after minus before, both read on the checkpoint named here",
      pooling: "mean-response-tokens",
      probe: "mean-difference",
      nulls: NULL_CONVENTIONS["mean-difference"],
      weighting: "rollout",
      seed: 0,
      maxTokens: 2048,
      orthogonalTo: [],
      layerChoice: { kind: "chosen", layer: SYNTHETIC_LAYER, reason: "named" },
      doubts: {},
      scenarioIds: Array.from({ length: scenarios }, (_, i) => `scenario-${i}`),
      counts: { pairs: scenarios, prompts: scenarios, unusable: 0, truncated: 0 },
      pairFiles: [],
      software: { name: "culprit", version: "0" },
    });
    const tensors = layers.flatMap((layer) => [
      tensor("direction", layer),
      tensor("direction_scenario", layer),
      tensor("bank", layer, scenarios),
      ...(nulls === 0 ? [] : [tensor("null", layer, nulls)]),
    ]);
    await writeSafetensors(path, tensors, { behavior: JSON.stringify(head) });
    writeFileSync(behaviorReportPath(path), "{}");
    paths.push(path);
  }
  return paths;
}
