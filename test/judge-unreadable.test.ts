/** @file Answers of a judge that cannot be read: what is asked again, what is not, and what is a verdict after all. */
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { openAnswerStore } from "../src/endpoint/answer-store.ts";
import { estimateJudging } from "../src/judge/estimate-judging.ts";
import { parseAnswer } from "../src/judge/parse-answer.ts";
import { readRubric } from "../src/judge/rubric.ts";
import { missingCauses } from "../src/judge/tally-verdicts.ts";
import { isMissing } from "../src/judge/verdict.ts";
import type { CulpritError } from "../src/util/errors.ts";
import {
  type FakeEndpoint,
  type FakeEndpointOptions,
  startFakeEndpoint,
} from "./support/fake-endpoint.ts";
import { judgeByLlm, numberedRollouts } from "./support/judge-by-llm.ts";
import { suiteFolder } from "./support/suite-folder.ts";

const folder = suiteFolder();
let stores = 0;
const newStore = (): string => join(folder, `${stores++}.answers.jsonl`);
const rollouts = numberedRollouts(100);

async function estimatedRequests(path: string, isAnew: boolean, url: string): Promise<number> {
  await using store = await openAnswerStore(path, undefined, { isReadOnly: true });
  const rubric = await readRubric("harm");
  const endpoint = { baseUrl: url, model: "m" };
  return (await estimateJudging(rollouts, { rubric, endpoint, store, isAnew })).requests;
}

async function startBroken(): Promise<{ server: FakeEndpoint; repair: () => void }> {
  let isBroken = true;
  const server = await startFakeEndpoint({ answer: () => (isBroken ? "?" : '{"score": 10}') });
  return { server, repair: () => void (isBroken = false) };
}

describe("a judge that was broken for a while", () => {
  it("is asked on by each run until it finds out for itself", async () => {
    const { server, repair } = await startBroken();
    await using _ = server;
    const path = newStore();
    const settings = { url: server.url, path, concurrency: 4 };
    await expect(judgeByLlm(rollouts, settings)).rejects.toThrow(/got none in 60/);
    const before = server.counts.requests;
    await expect(judgeByLlm(rollouts, settings)).rejects.toThrow(/got none in 60/);
    expect(server.counts.requests - before).toBeGreaterThanOrEqual(60);
    repair();
    const left = await estimatedRequests(path, false, server.url);
    const { requests, verdicts } = await judgeByLlm(rollouts, settings);
    expect([requests, verdicts.filter(isMissing)]).toEqual([left, []]);
  });

  it("ends the run although the cache has an answer that can be read, and says why and where", async () => {
    const answers = ["?", '{"score": 1000}', '{"label": "?"}'];
    let asked = 0;
    await using server = await startFakeEndpoint({
      answer: () => (asked++ === 0 ? '{"score": 10}' : answers[asked % 3]!),
    });
    const path = newStore();
    const settings = { url: server.url, path, concurrency: 1 };
    await judgeByLlm(rollouts.slice(0, 1), settings);
    const before = server.counts.requests;
    await expect(judgeByLlm(rollouts, settings)).rejects.toMatchObject({
      message: expect.stringMatching(
        /got none in 60: (?=.*20 no JSON)(?=.*20 a score off)(?=.*20 JSON without a score)/,
      ),
      hint: expect.stringContaining(path),
    });
    expect(server.counts.requests - before).toBeLessThan(150); // of 300: soon after the 60
  });

  it("ends the run too where the judge breaks in the middle, and not where it fails now and then", async () => {
    let asked = 0;
    const breaks = await startFakeEndpoint({
      answer: () => (asked++ < 30 ? '{"score": 10}' : "?"),
    });
    await using _ = breaks;
    const settings = { url: breaks.url, path: newStore(), concurrency: 1 };
    await expect(judgeByLlm(rollouts, settings)).rejects.toThrow(/got none in the last 180: 180/);
    expect(breaks.counts.requests).toBeLessThan(240);
    await using often = await startFakeEndpoint({
      answer: () => (asked++ % 20 === 0 ? '{"score": 9}' : "?"),
    });
    const { verdicts } = await judgeByLlm(rollouts, {
      url: often.url,
      path: newStore(),
      concurrency: 1,
    });
    expect(verdicts.filter(isMissing).length).toBeGreaterThan(20); // 60 answers and more, not in a row
  });

  it("is asked again only with isAnew, and only about what has no answer that can be read", async () => {
    const { server, repair } = await startBroken();
    await using _ = server;
    const path = newStore();
    const settings = { url: server.url, path };
    const first = await judgeByLlm(rollouts.slice(0, 15), settings);
    expect(missingCauses(first.verdicts)).toEqual({ "judge's answer unreadable": 15 });
    expect([first.requests, first.usage.unreadable]).toEqual([45, 15]);
    repair();
    const again = await judgeByLlm(rollouts.slice(0, 15), settings);
    expect([again.requests, again.verdicts]).toEqual([0, first.verdicts]);
    const more = await judgeByLlm(rollouts.slice(0, 20), settings);
    expect([more.requests, more.usage.unreadable]).toEqual([5, 15]);
    expect(await estimatedRequests(path, false, server.url)).toBe(80);
    expect(await estimatedRequests(path, true, server.url)).toBe(95);
    const forced = await judgeByLlm(rollouts, { ...settings, isAnew: true });
    expect([forced.requests, forced.verdicts.filter(isMissing)]).toEqual([95, []]);
    expect((await judgeByLlm(rollouts, { ...settings, isAnew: true })).requests).toBe(0);
  });

  it("is asked anew about each text once, and keeps what was paid for", async () => {
    await using server = await startFakeEndpoint({
      answer: ({ messages }) => (messages.at(-1)!.content.includes("yes") ? '{"score": 9}' : ""),
    });
    const path = newStore();
    const twice = [...rollouts.slice(0, 3), ...rollouts.slice(0, 3)];
    const settings = { url: server.url, path, concurrency: 1 };
    const first = await judgeByLlm(twice, settings);
    expect([first.requests, first.totals.answers]).toEqual([7, 7]); // one verdict, two times three in vain
    expect((await judgeByLlm(twice, settings)).requests).toBe(0);
    const forced = await judgeByLlm(twice, { ...settings, isAnew: true });
    expect([forced.requests, forced.totals.answers]).toEqual([6, 13]);
  });
});

describe("an endpoint that cannot hold answers to a schema", () => {
  const refusing = (status: number, message: string): FakeEndpointOptions => ({
    refuse: ({ response_format }) =>
      response_format === undefined ? undefined : { status, message },
  });

  it.each([
    [404, "No endpoints found that support response_format"],
    [500, "Failed to compile grammar"],
    [503, "guided decoding backend is not there"],
  ])("is asked without one where it says so: %i %s", async (status, message) => {
    await using server = await startFakeEndpoint(refusing(status, message));
    const { verdicts, requests } = await judgeByLlm(numberedRollouts(5), {
      url: server.url,
      path: newStore(),
    });
    expect([verdicts.filter(isMissing).length, requests]).toEqual([0, 6]);
  });

  it.each([
    [404, "nothing here", /no such model or address/],
    [500, "boom", /server error/],
  ])("is an error that names --structured where it does not: %i", async (status, message, text) => {
    await using server = await startFakeEndpoint(refusing(status, message));
    const error = await judgeByLlm(rollouts, {
      url: server.url,
      path: newStore(),
      attempts: 1,
    }).catch((thrown: unknown) => thrown as CulpritError);
    expect(error).toMatchObject({
      message: expect.stringMatching(text),
      hint: expect.stringMatching(/--structured off \(judge\.structured/),
    });
  });
});

describe("an answer with </think> in it", () => {
  it.each([
    ['{"reason": "it writes </think> and stops", "score": 70}', 70],
    ['<think>so </think> ends it</think>\n{"reason": "it writes </think>", "score": 70}', 70],
    ['so\n</think>\n```json\n{"reason": "</think>", "score": 70}\n```', 70],
    ['{"score": 10}\n</think>\n{"score": 70}', 70],
    ['<think>{"score": 10}', undefined],
    ['<think>{"score": 10}</think>', undefined],
    ['{"score": 70} </think> or so', undefined],
    ['<think>a</think>{"score": 70} </think>', undefined],
  ])("%s", async (text, score) => {
    const { answer } = await readRubric("harm");
    const parsed = parseAnswer({ text, finish: "stop" }, answer);
    expect("missing" in parsed ? undefined : parsed.score).toBe(score);
  });
});
