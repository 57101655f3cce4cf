/** Gradients along a training run against PyTorch (test/golden/along-run), and the run as `train` leaves it. */
import { readdirSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import type { Features, RunFeatures } from "../src/engine/features.ts";
import { writeStateTensors } from "../src/engine/trainer-state.ts";
import type { AlongRun, TrainingStates } from "../src/engine/training-states.ts";
import { openSafetensors } from "../src/format/safetensors.ts";
import { readModel } from "../src/model/read-model.ts";
import { firstMomentName, secondMomentName, trainingGraph } from "../src/model/training-graph.ts";
import { hashText } from "../src/util/mix-hash.ts";
import { relativeError } from "./support/close.ts";
import { examplesOf, openGolden } from "./support/golden-checkpoints.ts";
import { suiteFolder } from "./support/suite-folder.ts";

const suite = suiteFolder();
const ROOT = fileURLToPath(new URL("golden/", import.meta.url));
const FILES = `${ROOT}along-run/`;
const CASES = readdirSync(FILES)
  .filter((name) => name.endsWith(".safetensors"))
  .map((name) => name.slice(0, -".safetensors".length));
const LORA = { kind: "lora", rank: 2, alpha: 3, targets: ["q_proj", "down_proj"] } as const;
const SETTINGS = {
  objective: { kind: "dpo", beta: 3, lengthNormalized: true, labelSmoothing: 0.1 },
  adaptation: LORA,
  beta1: 0.9,
  beta2: 0.999,
} as const;
const STEPS = [4, 8];
const DIMS = 256;
/** As for the gradients of training. */
const MAX_RELATIVE_ERROR = 1e-4;

/** The golden's two states, as a trainer would have saved them. */
async function makeRun(name: string, checkpointHash: string): Promise<TrainingStates> {
  const model = await readModel(`${ROOT}checkpoints/${name}`);
  const lora = { rank: LORA.rank, scale: LORA.alpha / LORA.rank, targets: LORA.targets };
  const { trained } = trainingGraph(model, { objective: { kind: "log-probability" }, lora });
  const states = await Promise.all(
    STEPS.map(async (step, s) => {
      const folder = join(suite, `${name}-state${step}`);
      await mkdir(folder, { recursive: true });
      const tensors = trained.flatMap((each) => {
        const size = each.shape.reduce((product, dim) => product * dim, 1);
        const phase = (hashText(each.name) >>> 0) % 1000;
        const made = (of: (k: number) => number): Float32Array =>
          Float32Array.from({ length: size }, (_, k) => of(k));
        return [
          { ...each, values: made((k) => 0.2 * Math.sin(phase + 0.7 * k + s)) },
          {
            ...each,
            name: firstMomentName(each.name),
            values: made((k) => 0.01 * Math.cos(phase + 1.3 * k + s)),
          },
          {
            ...each,
            name: secondMomentName(each.name),
            values: made((k) => 1e-4 * (1 + Math.sin(phase + 0.4 * k + s) ** 2)),
          },
        ];
      });
      await writeStateTensors(folder, tensors, { step: `${step}` });
      return { step, rate: 1, folder };
    }),
  );
  return { checkpointHash, hash: "golden", settings: SETTINGS, states };
}

function featuresOf(kind: RunFeatures["kind"]): Features {
  return {
    kind,
    parameters: null,
    run: { hash: "golden", steps: STEPS, rates: [1, 1] },
    dims: DIMS,
    projection: "rademacher",
    seed: 7,
  };
}

describe.each(CASES)("%s", (name) => {
  it.each([
    ["tracin", "pairs", "tracin"],
    ["less", "pairs", "less"],
    ["less", "responses", "response"],
  ] as const)("%s features of %s are PyTorch's at every state", async (kind, reads, golden) => {
    await using engine = await openGolden(name, suite);
    await using file = await openSafetensors(`${FILES}${name}.safetensors`);
    const run = await makeRun(name, engine.identity.checkpointHash);
    const along: AlongRun = { run, reads };
    const rows: Float32Array[] = [];
    const zeros: number[] = [];
    const job = { layers: STEPS, features: featuresOf(kind), along };
    for await (const { index, means } of engine.embed(await examplesOf(name), job)) {
      const [first, second] = means as readonly [Float32Array, Float32Array];
      if (reads === "pairs") {
        rows[index] = first;
        zeros.push(...second);
      } else [rows[2 * index], rows[2 * index + 1]] = [first, second];
    }
    expect(zeros.every((value) => value === 0)).toBe(true);
    for (const s of STEPS.keys()) {
      const bytes = await file.readBytes(`${golden}.${s}`);
      const want = new Float32Array(bytes.slice().buffer);
      expect(rows.length * DIMS).toBe(want.length);
      for (const [r, row] of rows.entries()) {
        const got = row.subarray(s * DIMS, (s + 1) * DIMS);
        const expected = want.subarray(r * DIMS, (r + 1) * DIMS);
        expect(relativeError(got, expected), `state ${s}, row ${r}`).toBeLessThan(
          MAX_RELATIVE_ERROR,
        );
      }
    }
  });
});
