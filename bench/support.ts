import { readFileSync, writeFileSync } from "node:fs";

import { compile } from "../src/runtime/ort.ts";
import { input } from "../src/tensor/graph.ts";
import { lowerToOnnx } from "../src/tensor/lower.ts";
import { matMul } from "../src/tensor/ops/mat-mul.ts";

/** What a benchmark found, for bench/speed-table.ts. */
export interface Findings {
  /** Of libraries, by name, as far as the benchmark asked for them. */
  readonly versions?: Readonly<Record<string, string>> | undefined;
  /** By what was measured: the value of each run, round or step, in their order. */
  readonly rows: Readonly<Record<string, readonly number[]>>;
}

/** Writes what was found to the file of --json, where one was asked for. */
export function writeFindings(path: string | undefined, findings: Findings): void {
  if (path !== undefined) writeFileSync(path, `${JSON.stringify(findings, undefined, 2)}\n`);
}

/** The middle value; of an even number the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * Does every job once, beginning with another one in each round, and gives back what they gave in the order of `jobs`: no side is always the
 * first, which a processor that slows down as it warms would favour.
 */
export async function inTurn<T>(
  round: number,
  jobs: readonly (() => T | Promise<T>)[],
): Promise<readonly T[]> {
  const found: T[] = [];
  for (let i = 0; i < jobs.length; i++) {
    const next = (round + i) % jobs.length;
    found[next] = await jobs[next]!();
  }
  return found;
}

/** GFLOP/s of one 1024³ float32 matrix product in ONNX Runtime, best of 30. */
export async function matrixPeak(threads: number): Promise<number> {
  const size = 1024;
  const a = input("a", "float32", [size, size]);
  const b = input("b", "float32", [size, size]);
  await using program = await compile(lowerToOnnx({ y: matMul(a, b) }), { threads });
  const array = new Float32Array(size * size).fill(0.5);
  const value = { dtype: "float32", shape: [size, size], array } as const;
  let bestMs = Infinity;
  for (let i = 0; i < 30; i++) {
    const start = performance.now();
    await program.run({ a: value, b: value });
    bestMs = Math.min(bestMs, performance.now() - start);
  }
  return (2 * size ** 3) / bestMs / 1e6;
}

/** What of the processor decides about low precision. */
export function processorFeatures(): string {
  const wanted = /^(avx2|fma|f16c|avx512(f|bw|vnni|_vnni|_bf16|_fp16)|avx_vnni|amx_\w+)$/;
  try {
    const flags = /^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? "";
    const found = flags.split(/\s+/).filter((flag) => wanted.test(flag));
    return found.join(" ") || "none of AVX2, AVX-512, AMX";
  } catch {
    return "unknown";
  }
}
