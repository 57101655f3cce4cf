import { afterEach, expect, it, vi } from "vitest";

import { addCosts, NO_COST, priceOf } from "../engine/cost.ts";
import { MachineTime } from "./stage-meter.ts";

afterEach(() => void vi.useRealTimers());

it("shares each second of the machine among the stages at work", () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  const machine = new MachineTime();
  machine.change(1);
  const first = machine.sharedMs();
  vi.advanceTimersByTime(1000);
  machine.change(1);
  const second = machine.sharedMs();
  vi.advanceTimersByTime(3000);
  expect(machine.sharedMs() - first).toBe(1000 + 1500);
  expect(machine.sharedMs() - second).toBe(1500);
  machine.change(-1);
  vi.advanceTimersByTime(500);
  expect(machine.sharedMs() - second).toBe(2000);
  machine.change(-1);
  vi.advanceTimersByTime(500);
  expect(machine.sharedMs() - second).toBe(2000);
});

it("prices a stage's own part of the machine's time, and sums such parts with whole times", () => {
  const shared = { ...NO_COST, seconds: 3600, machineSeconds: 1800 };
  const alone = { ...NO_COST, seconds: 3600 };
  expect(priceOf(shared, 4)).toBe(2);
  expect(priceOf(alone, 4)).toBe(4);
  const sum = addCosts([shared, alone, shared]);
  expect(sum).toMatchObject({ seconds: 3 * 3600, machineSeconds: 2 * 3600 });
  expect(priceOf(sum, 4)).toBe(8);
  expect(addCosts([alone, alone]).machineSeconds).toBeUndefined();
});
