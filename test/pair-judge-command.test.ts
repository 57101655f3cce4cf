/** @file The method judge from the command line: both orders, what is paid, and judges that do not do what is asked of them. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { readRanking } from "../src/ranking/ranking-file.ts";
import { RANK_REPORT } from "../src/ranking/ranking-report.ts";
import { jsonLines } from "./support/data-files.ts";
import {
  type AskedBody,
  type FakeEndpointOptions,
  startFakeEndpoint,
} from "./support/fake-endpoint.ts";
import { randomPairs } from "./support/random-pairs.ts";
import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";

const FOLDER = suiteFolder();
const ROWS = 30;
let runs = 0;

const PARTS = /---- first response \w+ ----\n(.*)\n---- second response \w+ ----\n(.*)\n---- end/s;

/** The two responses in the order shown. */
function shown({ messages }: AskedBody): readonly [string, string] {
  const [, first = "", second = ""] = PARTS.exec(messages.at(-1)!.content)!;
  return [first, second];
}

const verdict = (score: number): string => JSON.stringify({ reason: "r", score });
const countOf = (word: string, text: string): number => text.split(word).length - 1;
/** Finds the word `river` in a response, and likes what stands first a little. */
const fair = (body: AskedBody): string => {
  const [first, second] = shown(body).map((text) => countOf("river", text)) as [number, number];
  return verdict(Math.max(-10, Math.min(10, 3 * (first - second) + 1)));
};

interface Judged {
  readonly text: string;
  readonly warnings: readonly string[];
  readonly error: Error | undefined;
  readonly requests: number;
  readonly out: string;
  readonly report: string;
}

async function judge(
  options: FakeEndpointOptions,
  words: readonly string[] = [],
  out = join(FOLDER, `${runs++}.jsonl`),
): Promise<Judged> {
  const pairs = join(FOLDER, "pairs.jsonl");
  await writeFile(pairs, jsonLines(randomPairs(ROWS)));
  await using server = await startFakeEndpoint(options);
  const asked = ["--pairs", pairs, "--method", "judge", "--base-url", server.url, "--model", "m"];
  const about = ["--description", "The response names a river."];
  const report = `${out}.report.json`;
  const places = ["--out", out, "--report", report];
  const warnings: string[] = [];
  let error: Error | undefined;
  const text = await runCommand(
    "rank",
    [...asked, ...about, ...places, ...words],
    (line) => void warnings.push(line),
  ).catch((fault: Error) => {
    error = fault;
    return "";
  });
  return { text, warnings, error, requests: server.counts.requests, out, report };
}

describe("culprit rank --method judge", () => {
  it("scores by both orders, so that a liking for a place takes nothing from a pair, and says how large it is", async () => {
    const { text, warnings, requests, out, report } = await judge({ answer: fair });
    expect([requests, warnings]).toEqual([2 * ROWS, []]);
    const { ids, scores } = await readRanking(out);
    const rows = new Map(randomPairs(ROWS).map((row) => [row.id, row]));
    for (const [i, id] of ids.entries()) {
      const { chosen, rejected } = rows.get(id)!;
      const difference = countOf("river", chosen) - countOf("river", rejected);
      expect(scores[i]).toBeCloseTo((3 * difference) / 10, 6);
    }
    expect(text).toMatch(/Position bias \+0\.100 \(-1 to 1; above 0 the response shown first/);
    expect(text).toMatch(/60 requests, 60 answered/);
    const { rankings } = await RANK_REPORT.read(report);
    expect(rankings[0]!.figures).toMatchObject({ positionBias: expect.closeTo(0.1, 6) as number });
  });

  it("keeps every paid answer, and asks again only what is not there", async () => {
    const first = await judge({ answer: fair });
    const again = await judge({ answer: fair }, [
      "--force",
      "--answers",
      `${first.out}.answers.jsonl`,
    ]);
    expect(again.requests).toBe(2 * ROWS); // answers are those of an address
    const pairs = join(FOLDER, "pairs.jsonl");
    await using server = await startFakeEndpoint({ answer: fair });
    const asked = ["--pairs", pairs, "--method", "judge", "--base-url", server.url, "--model", "m"];
    const words = [
      ...asked,
      "--description",
      "It names a river.",
      "--out",
      join(FOLDER, "kept.jsonl"),
    ];
    await runCommand("rank", words);
    const text = await runCommand("rank", [...words, "--force"]);
    expect(server.counts.requests).toBe(2 * ROWS);
    expect(text).toMatch(/60 verdicts needed no request/);
  });

  it("says without asking what it would take", async () => {
    const prices = ["--price-in", "2", "--price-out", "10"];
    const { text, requests } = await judge({ answer: fair }, [...prices, "--dry-run"]);
    expect(requests).toBe(0);
    expect(text).toMatch(/^30 pairs: 60 requests, 0 in the cache or repeated\n/);
    expect(text).toMatch(/\nabout \d{5} prompt tokens, at most 18000 answer tokens\n/);
    expect(text).toMatch(/\nabout 0\.\d+ at most, repeated requests aside$/);
  });

  it("stops at the budget, names the pairs that it did not reach, and goes on with a higher one", async () => {
    const body = (asked: AskedBody): unknown => ({
      choices: [{ message: { content: fair(asked) }, finish_reason: "stop" }],
      usage: { prompt_tokens: 500, completion_tokens: 100 },
    });
    const prices = ["--price-in", "1000", "--price-out", "1000", "--max-tokens", "100"];
    const { out, report, text } = await judge({ body }, [...prices, "--max-cost", "9"]);
    const { rankings } = await RANK_REPORT.read(report);
    const [{ scored, unscored }] = rankings as [(typeof rankings)[number]];
    expect(scored).toBeGreaterThan(3);
    expect(scored).toBeLessThan(10);
    expect((unscored!["budget"] ?? 0) + (unscored!["one order only: budget"] ?? 0)).toBe(
      ROWS - scored,
    );
    expect(text).toMatch(/not asked: budget/);
    const { scores } = await readRanking(out);
    expect(scores.filter(Number.isNaN)).toHaveLength(ROWS - scored);
  });

  it("gives no score to a pair that was answered in one order only", async () => {
    const chosen = new Set(randomPairs(ROWS).map((row) => row.chosen));
    const oneOrder = (body: AskedBody): string =>
      chosen.has(shown(body)[0]) ? fair(body) : "I pass.";
    const { error, report, out } = await judge({ answer: oneOrder }, ["--max-missing", "1"]);
    expect(error).toBeUndefined();
    const { rankings } = await RANK_REPORT.read(report);
    expect(rankings[0]).toMatchObject({
      scored: 0,
      unscored: { "one order only: judge's answer unreadable": ROWS },
    });
    expect((await readRanking(out)).scored).toBe(0);
    const strict = await judge({ answer: oneOrder });
    expect(strict.error?.message).toMatch(
      /^--max-missing: expected at most 10\.0% of the answers missing, got 30 of 60/,
    );
  });

  it("warns of a judge that finds no difference anywhere, and of one that goes by the place", async () => {
    const tied = await judge({ answer: () => verdict(0) });
    expect(tied.warnings).toEqual([
      "method judge: all 30 scores are the same: the ranking is the order of the rows and says nothing",
    ]);
    expect(tied.text).toMatch(/the judge told no pair apart in either order/);
    const placed = await judge({ answer: () => verdict(8) });
    expect(placed.warnings).toEqual([
      expect.stringMatching(/all 30 scores are the same/),
      expect.stringMatching(
        /the judge goes by the place .* Position bias \+0\.800 .* in 0\.0% of 30 pairs/,
      ),
    ]);
  });

  it("refuses, before anything is asked, what it lacks", async () => {
    const pairs = join(FOLDER, "pairs.jsonl");
    const words = ["--pairs", pairs, "--method", "judge", "--out", join(FOLDER, "none.jsonl")];
    const refusal = (...more: string[]): Promise<string> =>
      runCommand("rank", [...words, ...more]).catch((error: Error) => error.message);
    expect(await refusal("--description", "It rhymes.")).toBe(
      "--base-url: expected one, which the method judge needs, got none",
    );
    const at = ["--base-url", "http://127.0.0.1:9/v1", "--model", "m"];
    expect(await refusal(...at)).toBe(
      "--description: expected a sentence that describes the behaviour, which the method judge needs, got none",
    );
    expect(await refusal(...at, "--description", "It rhymes.", "--max-cost", "3")).toBe(
      "--max-cost: expected --price-in and --price-out beside it, got neither",
    );
    expect(await refusal("--base-url", "http://127.0.0.1:9/v1", "--description", "x")).toBe(
      "--base-url: expected --model with it, got none",
    );
    const unwritten = ["--pairs", pairs, "--method", "judge", ...at, "--description", "x"];
    const error = await runCommand("rank", unwritten).catch((fault: Error) => fault.message);
    expect(error).toMatch(/^--answers: expected a file to keep paid answers in, or out/);
    const other = ["--pairs", pairs, "--method", "length", ...at];
    const unused = await runCommand("rank", other).catch((fault: Error) => fault.message);
    expect(unused).toMatch(/^--base-url: expected --method judge or embedding with it, got length/);
    const dry = await runCommand("rank", [
      "--pairs",
      pairs,
      "--method",
      "length",
      "--dry-run",
    ]).catch((fault: Error) => fault.message);
    expect(dry).toBe(
      "--method: expected one that asks an endpoint to estimate its cost, got length",
    );
  });
});
