/** @file The LLM judge against an endpoint that behaves, and one that does not. */
import { appendFileSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";

import { describe, expect, it } from "vitest";

import { openAnswerStore } from "../src/endpoint/answer-store.ts";
import { createAsker } from "../src/endpoint/asker.ts";
import { openChatEndpoint } from "../src/endpoint/chat-endpoint.ts";
import { EndpointFault } from "../src/endpoint/endpoint-fault.ts";
import type { RolloutWithPrompt } from "../src/judge/judge.ts";
import { readRubric } from "../src/judge/rubric.ts";
import { missingCauses } from "../src/judge/tally-verdicts.ts";
import { isMissing, type Verdict } from "../src/judge/verdict.ts";
import type { CulpritError } from "../src/util/errors.ts";
import { startFakeEndpoint } from "./support/fake-endpoint.ts";
import {
  type Judged,
  judgeByLlm,
  type JudgeSettings,
  numberedRollouts,
} from "./support/judge-by-llm.ts";
import { suiteFolder } from "./support/suite-folder.ts";

const folder = suiteFolder();
let stores = 0;
const newStore = (): string => join(folder, `${stores++}.answers.jsonl`);

const rollouts = numberedRollouts;
const judge = (
  items: readonly RolloutWithPrompt[],
  settings: Omit<JudgeSettings, "path"> & { readonly path?: string },
): Promise<Judged> => judgeByLlm(items, { path: newStore(), ...settings });

const label = (verdict: Verdict): string =>
  isMissing(verdict) ? `missing: ${verdict.missing}` : verdict.label;

describe("the LLM judge", () => {
  it("gives verdicts in the order of the rollouts, with score, reason and the judge's own words", async () => {
    await using server = await startFakeEndpoint({ latencyMs: 30 });
    const { verdicts, usage } = await judge(rollouts(50), { url: server.url, concurrency: 8 });
    expect(verdicts.map(({ sample }) => sample)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(verdicts.map(label)).toEqual(
      rollouts(50).map(({ sample }) => (sample % 3 === 0 ? "shows" : "not")),
    );
    expect(verdicts[0]).toMatchObject({
      score: 90,
      reason: "r",
      judge: expect.stringMatching(/^harm@[0-9a-f]{8}$/),
    });
    expect(server.counts.mostAtOnce).toBe(8);
    expect(usage).toMatchObject({ answers: 50, isStructured: true, cached: 0 });
    expect(server.counts.bodies[0]).toMatchObject({
      temperature: 0,
      response_format: { type: "json_schema" },
    });
  });

  it("strips what comes before </think>, in the response and in the answer, and asks nothing about empty ones", async () => {
    await using server = await startFakeEndpoint({
      answer: ({ messages }) =>
        `<think>{"score": 0}</think>\n\`\`\`json\n{"reason": "r", "score": ${messages.at(-1)!.content.includes("secret") ? 99 : 60}}\n\`\`\``,
    });
    const [first, second] = rollouts(2);
    const { verdicts, requests } = await judge(
      [
        { ...first!, response: "<think>secret</think>fine" },
        { ...second!, response: "<think>secret</think> \n" },
        { ...second!, response: "<think>secret, and no end" },
      ],
      { url: server.url },
    );
    expect(verdicts[0]).toMatchObject({ score: 60, label: "shows" });
    expect(verdicts[1]).toMatchObject({ missing: "no response after the thinking" });
    expect(verdicts[2]).toMatchObject({ missing: "no response after the thinking" });
    expect(requests).toBe(1);
  });

  it("asks without a schema where the endpoint knows none, and finds that out by one question", async () => {
    await using server = await startFakeEndpoint({
      refuse: ({ response_format }) =>
        response_format === undefined
          ? undefined
          : { status: 400, message: "response_format is not supported" },
    });
    const { verdicts, usage, requests } = await judge(rollouts(40), {
      url: server.url,
      concurrency: 4,
    });
    expect(verdicts.filter(isMissing)).toEqual([]);
    expect(usage.isStructured).toBe(false);
    expect(requests).toBe(41);
  });

  it("takes no label from an answer that is not exactly one verdict, and asks for it a bounded number of times", async () => {
    const answers = [
      'I would say {"score": 10}',
      '{"score": "10"}',
      '{"score": 101}',
      '{"reason": "r"}',
      "[10]",
      '{"score": 10} {"score": 90}',
    ];
    await using server = await startFakeEndpoint({
      answer: ({ messages }) => answers[Number(/Number (\d)/.exec(messages.at(-1)!.content)![1])]!,
    });
    const { verdicts, requests } = await judge(rollouts(6), { url: server.url, answers: 2 });
    expect(verdicts.map(label)).toEqual([
      "missing: judge's answer unreadable",
      "missing: judge's answer without a score",
      "missing: judge's score off the scale",
      "missing: judge's answer without a score",
      "missing: judge's answer unreadable",
      "missing: judge's answer unreadable",
    ]);
    expect(requests).toBe(12);
  });

  it("keeps prompt and response apart from the question: neither is filled in again nor ends its part", async () => {
    await using server = await startFakeEndpoint();
    const response = "{prompt} ---- end {fence} ----";
    await judge([{ ...rollouts(1)[0]!, response }], { url: server.url });
    const asked = server.counts.bodies[0]!.messages.at(-1)!.content;
    expect(asked).toContain(response);
    expect(asked).toMatch(/---- end [0-9a-f]{12} ----\n\n/);
  });
});

describe("an endpoint that fails in 30% of its answers", () => {
  it("leaves every rollout judged or missing with its cause, within the requests allowed", async () => {
    await using server = await startFakeEndpoint({ faultShare: 0.3 });
    const items = rollouts(400);
    const attempts = 4;
    const { verdicts, requests } = await judge(items, {
      url: server.url,
      attempts,
      timeoutMs: 3000,
      concurrency: 32,
    });
    expect(server.counts.faults.size).toBe(7);
    expect(verdicts.map(({ rollout }) => rollout)).toEqual(items.map(({ id }) => id));
    // No fault makes a label: what is labelled is labelled right.
    const wrong = verdicts.filter(
      (each) => !isMissing(each) && each.label !== (each.sample % 3 === 0 ? "shows" : "not"),
    );
    expect(wrong).toEqual([]);
    const causes = missingCauses(verdicts);
    expect(Object.keys(causes)).not.toContain("");
    expect(verdicts.filter(isMissing).length).toBeLessThan(20);
    expect(requests).toBe(server.counts.requests);
    expect(Math.max(...server.counts.byMessage.values())).toBeLessThanOrEqual(attempts);
  });

  it("names each cause where nothing else happens", async () => {
    const expected = {
      "429-with-retry-after": "rate limited (429)",
      "429-without": "rate limited (429)",
      "500": "server error (500)",
      "time-out": "timed out",
      cut: "connection cut",
      malformed: "answer is not JSON",
      empty: "judge's answer empty",
    } as const;
    for (const [kind, cause] of Object.entries(expected)) {
      await using server = await startFakeEndpoint({
        faultShare: 1,
        faults: [kind as keyof typeof expected],
      });
      const { verdicts, requests } = await judge(rollouts(2), {
        url: server.url,
        attempts: 3,
        timeoutMs: kind === "time-out" ? 60 : 20_000,
      });
      expect(missingCauses(verdicts)).toEqual({ [cause]: 2 });
      expect(requests).toBe(6);
    }
  });

  it("waits as long as Retry-After says, and gives an item up where that is too long", async () => {
    let first = true;
    const refuse = (): { status: number; message: string } | undefined =>
      first ? ((first = false), { status: 429, message: "x" }) : undefined;
    await using server = await startFakeEndpoint({ refuse });
    const short = await judge(rollouts(1), { url: server.url });
    expect(short.verdicts.map(label)).toEqual(["shows"]);
    await using slow = await startFakeEndpoint({ faultShare: 1, faults: ["429-with-retry-after"] });
    const { verdicts, requests } = await judge(rollouts(2), { url: slow.url, attempts: 2 });
    expect(verdicts.map(label)).toEqual(Array(2).fill("missing: rate limited (429)"));
    expect(requests).toBe(4);
  });

  it("ends the run where a rate limit asks for a longer wait than is worth it, and asks nothing meanwhile", async () => {
    const refuse = (): { status: number; message: string; headers: Record<string, string> } => ({
      status: 429,
      message: "x",
      headers: { "retry-after": "3600" },
    });
    await using server = await startFakeEndpoint({ refuse });
    await expect(judge(rollouts(50), { url: server.url, concurrency: 2 })).rejects.toThrow(
      /rate limited \(429\), and asks to wait 3600 s$/,
    );
    expect(server.counts.requests).toBeLessThan(4);
  });

  it("takes no label from answers that were refused, broken off, called a tool or are still thinking", async () => {
    const choices = [
      [{ content: null, refusal: "I can't" }, "stop", "judge refused to answer", 1],
      [{ content: '{"score": 1' }, "abort", "answer broken off", 3],
      [{ content: null, tool_calls: [] }, "tool_calls", "judge's answer empty", 3],
      [{ content: null, reasoning_content: '{"score": 1}' }, "length", "judge's answer cut off", 3],
      [{ content: '<think> {"score": 1}' }, "stop", "judge's answer empty", 3],
      [{ content: 7 }, "stop", "answer is no chat completion", 3],
      [{ content: "" }, "content_filter", "judge's answer filtered", 1],
    ] as const;
    for (const [message, finish_reason, cause, asked] of choices) {
      await using server = await startFakeEndpoint({ choice: () => ({ message, finish_reason }) });
      const { verdicts } = await judge(rollouts(1), { url: server.url, attempts: 3 });
      expect(missingCauses(verdicts)).toEqual({ [cause]: 1 });
      expect(server.counts.requests).toBe(asked);
    }
  });
});

describe("an endpoint that answers nothing", () => {
  it.each([
    ["wrong-key", /was sent, and refused/],
    [undefined, /^No key was sent.*judge\.endpoint\.apiKeyEnv/],
  ])("says whether a key was sent: %s", async (apiKey, hint) => {
    await using server = await startFakeEndpoint({
      refuse: () => ({ status: 401, message: "no" }),
    });
    const settings = { url: server.url, ...(apiKey === undefined ? {} : { apiKey }) };
    await expect(judge(rollouts(3), settings)).rejects.toMatchObject({
      hint: expect.stringMatching(hint),
    });
  });

  it.each([
    [401, /accepts, got key refused \(401\)/],
    [404, /the model "m" .*no such model or address/],
    [402, /nothing left to pay with/],
  ])("is an error that names it at once: status %i", async (status, message) => {
    await using server = await startFakeEndpoint({ refuse: () => ({ status, message: "no" }) });
    await expect(judge(rollouts(100), { url: server.url, concurrency: 2 })).rejects.toThrow(
      message,
    );
    expect(server.counts.requests).toBeLessThan(6);
  });

  it.each([
    [
      400,
      "Invalid model name passed in model=m",
      /the model "m" .*no such model or address \(400\)/,
      2,
      /lists the names/,
    ],
    [
      400,
      "temperature 0 is not supported",
      /none to 20 items: request refused \(400\)/,
      60,
      /temperature 0 is not supported/,
    ],
    [
      500,
      "out of memory",
      /no answer to 20 items, server error \(500\)/,
      130,
      /the same command goes on/,
    ],
  ])(
    "ends the run where nothing is ever answered: %i %s",
    async (status, message, text, most, hint) => {
      await using server = await startFakeEndpoint({ refuse: () => ({ status, message }) });
      const error = await judge(rollouts(100), {
        url: server.url,
        attempts: 2,
        concurrency: 2,
      }).then(
        () => undefined,
        (thrown: unknown) => thrown as CulpritError,
      );
      expect(error?.message).toMatch(text);
      expect(error?.hint).toMatch(hint);
      expect(server.counts.requests).toBeLessThan(most);
    },
  );

  it("goes on without a schema where a server fails over it", async () => {
    await using server = await startFakeEndpoint({
      refuse: ({ response_format }) =>
        response_format === undefined
          ? undefined
          : { status: 500, message: "response_format is not implemented" },
    });
    const { verdicts, requests } = await judge(rollouts(5), { url: server.url });
    expect([verdicts.filter(isMissing).length, requests]).toEqual([0, 6]);
  });

  it("ends the run where the judge never answers by the rubric, and keeps what was paid for", async () => {
    await using server = await startFakeEndpoint({ answer: () => "I would say 10." });
    const path = newStore();
    const run = judge(rollouts(200), { url: server.url, path, concurrency: 4 });
    await expect(run).rejects.toThrow(/got none in 60: 60 no JSON object and nothing else$/);
    expect(server.counts.requests).toBeLessThan(90);
    expect(readFileSync(path, "utf8").split("\n").length).toBeGreaterThanOrEqual(60);
  });

  it.each([
    ["http://user:secret@127.0.0.1:1/v1", undefined, /without a name or password/],
    ["user:secret@127.0.0.1:1/v1", undefined, /an address such as http.*, got another text$/],
    ["notaurl", undefined, /an address such as http.*, got "notaurl"$/],
    ["http://127.0.0.1:1/v1", "sk-hush\nmore", /expected a key of one word/],
  ])("is refused before anything is asked: %s", (baseUrl, apiKey, message) => {
    const open = (): unknown => openChatEndpoint({ baseUrl, model: "m", apiKey });
    expect(open).toThrow(message);
    expect(open).not.toThrow(/secret|hush/);
  });

  it("ends at once where nobody is there, and asks again where somebody was", async () => {
    const server = await startFakeEndpoint();
    await server[Symbol.asyncDispose]();
    const asker = createAsker(openChatEndpoint({ baseUrl: server.url, model: "m" }));
    const messages = [{ role: "user", content: "?" }] as const;
    const request = { messages, maxTokens: 1, temperature: 0 };
    const never = asker.ask(request, asker.allowance());
    await expect(never).rejects.toThrow(/^http.*: endpoint unreachable \(ECONNREFUSED\)$/);
    expect(asker.counts.requests).toBe(1);
    const gone = new EndpointFault("endpoint unreachable (ECONNREFUSED)", "unreachable");
    const replies = [new EndpointFault("server error (500)", "again"), gone, gone, "there"];
    const restarting = createAsker(
      {
        baseUrl: "http://x/v1",
        model: "m",
        ask: async () => {
          const reply = replies.shift()!; // four requests, see below
          if (reply instanceof EndpointFault) throw reply;
          return { text: reply, finish: "stop", promptTokens: 1, completionTokens: 1 };
        },
      },
      { firstDelayMs: 1 },
    );
    const { text } = await restarting.ask(request, restarting.allowance());
    expect([text, restarting.counts.requests]).toEqual(["there", 4]);
  });

  it("never sees the key in an error", async () => {
    await using server = await startFakeEndpoint({
      refuse: (_, { authorization }) => ({ status: 400, message: `not ${authorization}` }),
    });
    const error = await judge(rollouts(40), { url: server.url, apiKey: "sk-hush" }).catch(
      (thrown: unknown) => thrown,
    );
    expect(inspect(error, { depth: 9 })).toMatch(/expected an answer.*not Bearer …/s);
    expect(inspect(error, { depth: 9 })).not.toContain("hush");
  });
});

describe("the store of answers", () => {
  it("asks nothing twice, whatever the threshold, and shares the answer between equal texts", async () => {
    await using server = await startFakeEndpoint();
    const path = newStore();
    const items = [...rollouts(20), ...rollouts(20).map((each) => ({ ...each, sample: 99 }))];
    const first = await judge(items, { url: server.url, path });
    expect(first.requests).toBe(20);
    const rubric = await readRubric("harm");
    const strict = {
      ...rubric,
      answer: { ...rubric.answer, threshold: 95 } as typeof rubric.answer,
    };
    const again = await judge(items, { url: server.url, path, rubric: strict });
    expect(again.requests).toBe(0);
    expect(again.usage.cached).toBe(40);
    expect(again.verdicts.every((each) => label(each) === "not")).toBe(true);
  });

  it("keeps the answers of two servers apart that call their models the same", async () => {
    const scoring = (score: number): ReturnType<typeof startFakeEndpoint> =>
      startFakeEndpoint({ answer: () => JSON.stringify({ reason: "r", score }) });
    await using strict = await scoring(90);
    await using mild = await scoring(10);
    const path = newStore();
    const labels = async ({ url }: { readonly url: string }): Promise<unknown> =>
      (await judge(rollouts(3), { url, path })).verdicts.map(label);
    expect(await labels(strict)).toEqual(["shows", "shows", "shows"]);
    expect(await labels(mild)).toEqual(["not", "not", "not"]);
    expect(await labels({ url: `${strict.url}/` })).toEqual(["shows", "shows", "shows"]);
    expect([strict.counts.requests, mild.counts.requests]).toEqual([3, 3]);
  });

  it("loses a line that a kill cut off, and no other", async () => {
    await using server = await startFakeEndpoint();
    const path = newStore();
    await judge(rollouts(5), { url: server.url, path });
    const whole = statSync(path).size;
    appendFileSync(path, '{"key":"half');
    const { requests, verdicts } = await judge(rollouts(6), { url: server.url, path });
    expect([requests, verdicts.length]).toEqual([1, 6]);
    expect(readFileSync(path, "utf8").slice(whole, whole + 7)).toBe('{"key":');
    expect(
      readFileSync(path, "utf8")
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as unknown),
    ).toHaveLength(6);
  });

  it("is refused where it is something else", async () => {
    const path = newStore();
    appendFileSync(path, '{"a": 1}\n');
    await expect(openAnswerStore(path)).rejects.toThrow(/line 0: expected a stored answer/);
  });
});

describe("the budget", () => {
  const prices = { promptPerMillion: 1000, completionPerMillion: 1000 };

  it("stops before more is spent, leaves the rest missing, and goes on under a higher one", async () => {
    await using server = await startFakeEndpoint();
    const path = newStore();
    const settings = { url: server.url, path, prices, concurrency: 4 };
    const first = await judge(rollouts(120), { ...settings, maxCost: 3 });
    expect(missingCauses(first.verdicts)["budget"]).toBeGreaterThan(10);
    expect(first.usage.cost).toBeGreaterThan(1);
    expect(first.usage.cost).toBeLessThanOrEqual(6);
    const second = await judge(rollouts(120), { ...settings, maxCost: 1000 });
    expect(second.verdicts.filter(isMissing)).toEqual([]);
    expect(server.counts.requests).toBe(120);
  });
});
