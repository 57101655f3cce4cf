/** @file Our side of bench/train-step.ts: one DPO step for each line on stdin, its seconds by the clock and of processor time on stdout; arguments as train_step_reference.py. */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";

import { localHost } from "../src/engine/local-host.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string" },
    job: { type: "string" },
    threads: { type: "string" },
    lora: { type: "string" },
    "batch-tokens": { type: "string" },
  },
});
interface JobPair {
  readonly prompt: readonly number[];
  readonly chosen: readonly number[];
  readonly rejected: readonly number[];
  readonly reference: readonly number[];
}
const { steps } = JSON.parse(readFileSync(values.job!, "utf8")) as { steps: JobPair[][] };
const rank = Number(values.lora);
await using trainer = await localHost.openTrainer(
  values.model!,
  {
    objective: { kind: "dpo", beta: 0.1, lengthNormalized: false, labelSmoothing: 0 },
    adaptation:
      values.lora === undefined
        ? { kind: "full" }
        : { kind: "lora", rank, alpha: 2 * rank, targets: null },
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0.01,
    maxGradNorm: 1,
    seed: 0,
  },
  {
    template: "raw",
    threads: Number(values.threads),
    ...(values["batch-tokens"] === undefined
      ? {}
      : { batchTokens: Number(values["batch-tokens"]) }),
  },
);
const write = (text: string): void => void process.stdout.write(`${text}\n`);
write("ready");
for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() === "end") {
    const peak = /VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))![1];
    write(String(Number(peak) * 1024));
    break;
  }
  const start = performance.now();
  const before = process.cpuUsage();
  const { loss } = await trainer.step(
    steps[Number(line)]!.map(({ prompt, chosen, rejected, reference }) => ({
      prompt: Int32Array.from(prompt),
      responses: [Int32Array.from(chosen), Int32Array.from(rejected)],
      reference,
    })),
    1e-5,
  );
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  write(JSON.stringify({ seconds, busy: (user + system) / 1e6, loss }));
}
// The pipe from the parent would keep this process waiting.
process.stdin.destroy();
