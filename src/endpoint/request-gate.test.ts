import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, it, vi } from "vitest";

import { retryAfterMs } from "./endpoint-fault.ts";
import { createRequestGate } from "./request-gate.ts";

describe("createRequestGate", () => {
  it("runs so many at once, in order of arrival", async () => {
    const gate = createRequestGate({ concurrency: 3 });
    const begun: number[] = [];
    let running = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        gate.run(1, async () => {
          begun.push(i);
          most = Math.max(most, ++running);
          await sleep(2);
          running--;
        }),
      ),
    );
    expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(most).toBe(3);
  });

  it.each([
    [{ requestsPerMinute: 60 }, 1000],
    [{ tokensPerMinute: 1200 }, 2000],
    [{ requestsPerMinute: 60, tokensPerMinute: 1200 }, 2000],
  ])("lets no more through than a minute may have: %j", async (limits, gapMs) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    try {
      const gate = createRequestGate(limits);
      const startMs = performance.now();
      const begunMs: number[] = [];
      const work = async (): Promise<void> => void begunMs.push(performance.now() - startMs);
      const all = Array.from({ length: 200 }, () => gate.run(40, work));
      await vi.advanceTimersByTimeAsync(60_000);
      // The first begins at once.
      expect(begunMs).toEqual(Array.from({ length: 60_000 / gapMs + 1 }, (_, i) => i * gapMs));
      await vi.runAllTimersAsync();
      await Promise.all(all);
      expect(begunMs.at(-1)).toBe(199 * gapMs);
    } finally {
      vi.useRealTimers();
    }
  });

  it("begins nothing while it is to wait", async () => {
    const gate = createRequestGate();
    gate.pause(50);
    const startMs = performance.now();
    await gate.run(1, () => Promise.resolve());
    expect(performance.now() - startMs).toBeGreaterThan(48);
  });

  it("lets those who wait go when they are told to stop, and nobody else", async () => {
    const gate = createRequestGate({ concurrency: 1 });
    const abort = new AbortController();
    const first = gate.run(1, () => sleep(20, "done"));
    const waiting = [0, 1].map(() => gate.run(1, () => Promise.resolve("ran"), abort.signal));
    const other = gate.run(1, () => Promise.resolve("other"));
    abort.abort();
    for (const each of waiting) await expect(each).rejects.toThrow(/abort/i);
    expect(await Promise.all([first, other])).toEqual(["done", "other"]);
    await expect(gate.run(1, () => Promise.resolve(), abort.signal)).rejects.toThrow(/abort/i);
  });
});

describe("retryAfterMs", () => {
  it.each([
    [{ "retry-after": "3" }, 3000],
    [{ "retry-after": "Thu, 01 Jan 1970 00:00:07 GMT" }, 5000],
    [{ "retry-after": "Thu, 01 Jan 1970 00:00:00 GMT" }, 0],
    [{ "retry-after-ms": "12.5", "retry-after": "3" }, 12.5],
    [{ "retry-after": "soon" }, undefined],
    [{ "retry-after": "-1" }, undefined],
    [{}, undefined],
  ])("reads %j", (headers, wanted) => {
    expect(retryAfterMs(new Headers(headers as Record<string, string>), 2000)).toBe(wanted);
  });
});
