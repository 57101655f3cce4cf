import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type LocalTrainer, openLocalTrainer } from "../src/engine/local-trainer.ts";
import type { TrainerSettings } from "../src/engine/trainer.ts";
import { stepMetrics } from "../src/training/metrics.ts";
import type { Method } from "../src/training/resolve-settings.ts";
import type { Schedule } from "../src/training/settings.ts";
import { learningRateAt } from "../src/training/step-plan.ts";
import { writePlainTokenizer } from "./support/plain-tokenizer.ts";

const GOLDEN = fileURLToPath(new URL("golden/", import.meta.url));

interface Case {
  readonly name: string;
  readonly settings: {
    readonly batchSize: number;
    readonly learningRate: number;
    readonly schedule: Schedule;
    readonly warmupSteps: number;
    readonly weightDecay: number;
    readonly maxGradNorm: number;
    readonly beta: number;
    readonly lengthNormalized: boolean;
    readonly labelSmoothing?: number;
    readonly lora?: { readonly rank: number; readonly alpha: number };
  };
  readonly curve: Readonly<Record<string, readonly number[]>>;
}
interface Golden {
  readonly pairs: readonly Readonly<Record<"prompt" | "chosen" | "rejected", readonly number[]>>[];
  readonly dpo: readonly Case[];
  readonly sft: Omit<Case, "name">;
  readonly smoothed: Omit<Case, "name">;
}
const golden = JSON.parse(await readFile(join(GOLDEN, "training/curves.json"), "utf8")) as Golden; // make_curves.py wrote it

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "culprit-curves-"));
  await cp(join(GOLDEN, "checkpoints/llama-tied"), dir, { recursive: true });
  // Nothing is tokenised here, but a checkpoint has a tokenizer.
  await writePlainTokenizer(dir, 64);
});
afterAll(() => rm(dir, { recursive: true }));

/** The whole curve with our trainer; small runs of the graph, so that every step takes several. */
async function ourCurve(
  { settings, curve }: Omit<Case, "name">,
  kind: "dpo" | "sft",
): Promise<Record<string, number>[]> {
  const { beta, lengthNormalized, labelSmoothing = 0, lora } = settings;
  const method: Method =
    kind === "dpo"
      ? { kind, beta, lengthNormalized, labelSmoothing }
      : { kind, lossOn: "response" };
  const trainerSettings: TrainerSettings = {
    ...settings,
    objective: method.kind === "dpo" ? method : { kind: "sft" },
    adaptation: lora === undefined ? { kind: "full" } : { kind: "lora", ...lora, targets: null },
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    seed: 0,
  };
  await using trainer = await openLocalTrainer(dir, trainerSettings, {
    template: "raw",
    batchTokens: 64,
  });
  const sides = kind === "dpo" ? (["chosen", "rejected"] as const) : (["chosen"] as const);
  const examples = golden.pairs.map((pair) => ({
    prompt: Int32Array.from(pair.prompt),
    responses: sides.map((side) => Int32Array.from(pair[side])),
  }));
  const references: (readonly number[])[] = [];
  for await (const { index, logprobs } of trainer.startLogprobs(examples))
    references[index] = logprobs;
  if (lora !== undefined) await startFactors(trainer);
  const steps = curve["loss"]!.length;
  const lines: Record<string, number>[] = [];
  for (let step = 0; step < steps; step++) {
    const batch = Array.from({ length: settings.batchSize }, (_, i) => {
      const at = (step * settings.batchSize + i) % examples.length;
      return { ...examples[at]!, reference: references[at]! };
    });
    const learningRate = learningRateAt(step, { ...settings, steps });
    const result = await trainer.step(batch, learningRate);
    lines.push({ ...stepMetrics(method, batch, result), learningRate });
  }
  return lines;
}

/** As in trl_reference.py: A [in, rank] here is stored [rank, in] there. */
async function startFactors(trainer: LocalTrainer): Promise<void> {
  for (const { name, shape, values } of await trainer.state()) {
    if (!name.endsWith(".lora_A.weight.T")) continue;
    const [inner, rank] = shape as readonly [number, number];
    for (let i = 0; i < inner; i++) {
      for (let r = 0; r < rank; r++)
        values[i * rank + r] = Math.sin(1 + r * inner + i) / Math.sqrt(inner);
    }
  }
}

function expectCurve(lines: readonly Record<string, number>[], curve: Case["curve"]): void {
  for (const [name, values] of Object.entries(curve)) {
    // At the start all margins are rounding, and a pair is right or wrong by chance.
    for (const [step, value] of values.entries()) {
      if (name === "accuracy" && step < 2) continue;
      const tolerance = 1e-3 * Math.max(1, Math.abs(value));
      expect(Math.abs(lines[step]![name]! - value), `${name} at step ${step + 1}`).toBeLessThan(
        tolerance,
      );
    }
  }
}

/** TRL's rewards are never normalised by length, ours are where the loss is. */
const NORMALIZED_DIFFER = ["accuracy", "margin", "chosenReward", "rejectedReward"];

describe("training curves over 50 steps", () => {
  for (const each of golden.dpo) {
    test(`DPO, ${each.name}, is TRL's`, async () => {
      const comparable = Object.entries(each.curve).filter(
        ([name]) => !each.settings.lengthNormalized || !NORMALIZED_DIFFER.includes(name),
      );
      expectCurve(await ourCurve(each, "dpo"), Object.fromEntries(comparable));
    });
  }

  test("DPO with label smoothing is that of a loop over torch", async () => {
    expectCurve(await ourCurve(golden.smoothed, "dpo"), golden.smoothed.curve);
  });

  test("SFT is that of a loop over torch", async () => {
    expectCurve(await ourCurve(golden.sft, "sft"), golden.sft.curve);
  });
});
