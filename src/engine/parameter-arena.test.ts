import { readFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

import { ParameterArena } from "./parameter-arena.ts";

interface Golden {
  readonly sizes: Readonly<Record<string, number>>;
  readonly optimizer: readonly {
    readonly weightDecay: number;
    readonly maxGradNorm: number;
    readonly norms: readonly number[];
    readonly values: Readonly<Record<string, readonly number[]>>;
    readonly firstMoments: Readonly<Record<string, readonly number[]>>;
    readonly secondMoments: Readonly<Record<string, readonly number[]>>;
  }[];
}
const golden = JSON.parse(
  readFileSync(new URL("../../test/golden/training/optimizer.json", import.meta.url), "utf8"),
) as Golden; // written by make_optimizer.py

/** As in make_optimizer.py. */
const gradientAt = (step: number, tensor: number, i: number): number =>
  ((((i * 7 + step * 13 + tensor * 5) % 32) - 15) / 64) * (step % 3 === 0 ? 0.125 : 1);

function createArena(): ParameterArena {
  const arena = new ParameterArena(
    Object.entries(golden.sizes).map(([name, size]) => ({
      name,
      shape: [size],
      isDecayed: name !== "norm",
    })),
  );
  for (const { values } of arena.slots) values.set(values.map((_, i) => ((i % 11) - 5) / 8));
  return arena;
}

describe("AdamW in place", () => {
  for (const each of golden.optimizer) {
    const name = `weight decay ${each.weightDecay}, clipping at ${each.maxGradNorm}`;
    test(`gives torch.optim.AdamW's weights and moments: ${name}`, () => {
      const arena = createArena();
      const norms = each.norms.map((_, step) => {
        for (const [t, { gradient }] of arena.slots.entries()) {
          gradient.set(gradient.map((_g, i) => gradientAt(step, t, i)));
        }
        const norm = arena.gradientNorm();
        const factor = each.maxGradNorm > 0 ? Math.min(1, each.maxGradNorm / (norm + 1e-6)) : 1;
        arena.update(step + 1, 0.01 / (1 + step), factor, {
          beta1: 0.9,
          beta2: 0.999,
          epsilon: 1e-8,
          weightDecay: each.weightDecay,
        });
        return norm;
      });
      expectClose(norms, each.norms, 1e-6);
      for (const slot of arena.slots) {
        expectClose(slot.values, each.values[slot.name]!, 1e-6);
        expectClose(slot.firstMoment, each.firstMoments[slot.name]!, 1e-6);
        expectClose(slot.secondMoment, each.secondMoments[slot.name]!, 1e-6);
      }
    });
  }

  test("leaves the numbers between weights alone", () => {
    const arena = createArena();
    for (const { gradient } of arena.slots) gradient.fill(1);
    arena.update(1, 0.01, 1, { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 });
    const [first, second] = arena.slots;
    const gap = new Float32Array(first!.values.buffer, first!.values.byteOffset + 35 * 4, 1);
    expect(gap[0]).toBe(0);
    expect(second!.values.byteOffset - first!.values.byteOffset).toBe(36 * 4);
  });
});

function expectClose(got: Iterable<number>, expected: readonly number[], tolerance: number): void {
  const largest = Math.max(...expected.map(Math.abs), 1e-12);
  for (const [i, value] of [...got].entries()) {
    expect(Math.abs(value - expected[i]!) / largest).toBeLessThan(tolerance);
  }
}
