/** @file What judging by an endpoint costs: the budget, answers that cannot be used, tokens that nobody counted. */
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { missingCauses } from "../src/judge/tally-verdicts.ts";
import { isMissing } from "../src/judge/verdict.ts";
import { startFakeEndpoint } from "./support/fake-endpoint.ts";
import { judgeByLlm, numberedRollouts } from "./support/judge-by-llm.ts";
import { suiteFolder } from "./support/suite-folder.ts";

const folder = suiteFolder();
let stores = 0;
const newStore = (): string => join(folder, `${stores++}.answers.jsonl`);
const prices = { promptPerMillion: 1000, completionPerMillion: 1000 };
/** 500 tokens an answer, 0.5 of money. */
const answer = (over: object = {}): unknown => ({
  choices: [{ message: { content: '{"reason": "r", "score": 10}' }, finish_reason: "stop" }],
  usage: { prompt_tokens: 480, completion_tokens: 20 },
  ...over,
});

describe("a budget", () => {
  it("reaches as far with many requests at once as with one after the other", async () => {
    const spent: number[] = [];
    for (const concurrency of [1, 32]) {
      await using server = await startFakeEndpoint({ latencyMs: 3, body: () => answer() });
      const { usage, verdicts, counts } = await judgeByLlm(numberedRollouts(200), {
        url: server.url,
        path: newStore(),
        prices,
        maxCost: 20,
        concurrency,
      });
      expect(usage.cost).toBeLessThanOrEqual(20);
      expect(missingCauses(verdicts)).toEqual({ budget: 200 - usage.answers });
      expect(server.counts.requests).toBe(usage.answers);
      // Not sent, so it did not fail either.
      expect([counts.beyondBudget, [...counts.faults]]).toEqual([200 - usage.answers, []]);
      spent.push(usage.cost);
    }
    expect(spent[1]).toBe(spent[0]);
    expect(spent[0]).toBeGreaterThan(17); // an answer at its dearest no longer fits
  });

  it("is not overrun where prompts have more tokens than their bytes let expect", async () => {
    const usage = { prompt_tokens: 3000, completion_tokens: 20 };
    await using server = await startFakeEndpoint({ latencyMs: 3, body: () => answer({ usage }) });
    const settings = { url: server.url, path: newStore(), prices, maxCost: 20, concurrency: 8 };
    const { totals } = await judgeByLlm(numberedRollouts(50), settings);
    expect(totals.answers).toBe(6); // 3.02 each
  });

  it.each([
    ["malformed", () => '{"choices": [{"message": {"content": "x"', true],
    [
      "no completion",
      () => ({ choices: [], usage: { prompt_tokens: 480, completion_tokens: 20 } }),
      false,
    ],
    [
      "broken off",
      () => answer({ choices: [{ message: { content: "" }, finish_reason: "error" }] }),
      false,
    ],
  ])(
    "counts answers that cannot be used, and so does the next run: %s",
    async (_, body, isGuess) => {
      await using server = await startFakeEndpoint({
        body: (__, request) => (request % 2 === 0 ? undefined : body()),
      });
      const path = newStore();
      const settings = { url: server.url, path, prices, maxCost: 20, attempts: 9 };
      const first = await judgeByLlm(numberedRollouts(200), settings);
      expect(first.totals.broken).toBe(first.requests - first.totals.answers);
      expect(first.totals.broken).toBeGreaterThan(5);
      expect(first.totals.estimated).toBe(isGuess ? first.totals.broken : 0);
      expect(first.usage.estimated).toBe(first.totals.estimated);
      expect(first.totals.cost).toBeGreaterThan(0.49 * first.totals.broken);
      expect(first.totals.cost).toBeLessThanOrEqual(20);
      expect(first.totals.cost).toBeCloseTo(first.usage.cost, 8);
      const second = await judgeByLlm(numberedRollouts(200), settings);
      expect(second.totals.cost - first.totals.cost).toBeLessThan(3);
    },
  );

  it("charges nothing for an error that comes under status 200", async () => {
    await using server = await startFakeEndpoint({
      body: () => ({ error: { message: "overloaded" } }),
    });
    const path = newStore();
    const { totals } = await judgeByLlm(numberedRollouts(1), { url: server.url, path, prices });
    expect(totals).toMatchObject({ broken: 0, cost: 0 });
  });
});

describe("an answer", () => {
  it("may come in parts, with its tokens as texts", async () => {
    const content = [
      { type: "text", text: '{"reason": "r", ' },
      { type: "image_url", image_url: {} },
      { type: "text", text: '"score": 90}' },
    ];
    await using server = await startFakeEndpoint({
      body: () => ({
        choices: [{ message: { content }, finish_reason: "stop" }],
        usage: { prompt_tokens: "480", completion_tokens: "20" },
      }),
    });
    const path = newStore();
    const { verdicts, totals } = await judgeByLlm(numberedRollouts(2), { url: server.url, path });
    expect(verdicts).toMatchObject([{ label: "shows" }, { label: "shows" }]);
    expect(totals).toMatchObject({ promptTokens: 960, completionTokens: 40, estimated: 0 });
  });

  it.each([[{ usage: undefined }], [{ usage: "many" }], [{ usage: { prompt_tokens: 480 } }]])(
    "whose tokens are not all counted is taken, and marked: %o",
    async (over) => {
      await using server = await startFakeEndpoint({ body: () => answer(over) });
      const path = newStore();
      const settings = { url: server.url, path, prices };
      const { verdicts, totals } = await judgeByLlm(numberedRollouts(3), settings);
      expect(verdicts.filter(isMissing)).toEqual([]);
      expect(totals).toMatchObject({ answers: 3, estimated: 3 });
      expect(totals.completionTokens).toBeGreaterThan(0);
      const again = await judgeByLlm(numberedRollouts(3), settings);
      expect([again.requests, again.totals.estimated]).toEqual([0, 3]);
    },
  );
});

describe("an abort", () => {
  it("keeps the answers under way, and begins no others", async () => {
    await using server = await startFakeEndpoint({ latencyMs: 150, body: () => answer() });
    const path = newStore();
    const abort = new AbortController();
    const settings = { url: server.url, path, concurrency: 8 };
    const run = judgeByLlm(numberedRollouts(100), { ...settings, signal: abort.signal });
    const timer = setInterval(() => {
      if (server.counts.requests >= 9) abort.abort(); // the first one is asked alone
    }, 5);
    await expect(run).rejects.toThrow(/abort/);
    clearInterval(timer);
    expect(server.counts.requests).toBe(9);
    const { usage } = await judgeByLlm(numberedRollouts(100), settings);
    expect([usage.cached, server.counts.requests]).toEqual([9, 100]);
  });

  it("waits no longer than the grace for an endpoint that hangs", async () => {
    await using server = await startFakeEndpoint({ latencyMs: 20_000 });
    const started = performance.now();
    const run = judgeByLlm(numberedRollouts(3), {
      url: server.url,
      path: newStore(),
      graceMs: 100,
      signal: AbortSignal.timeout(100),
    });
    await expect(run).rejects.toThrow(/timeout/);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
