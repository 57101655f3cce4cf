/**
 * @file How many verdicts a second the LLM judge gets through an endpoint on this machine, beside what the endpoint gives by itself.
 *
 *   npx tsx --expose-gc bench/judge-throughput.ts [--verdicts 10000] [--concurrency 64] [--latency 100] [--rounds 5]
 *
 * The endpoint is a process of its own that answers after --latency milliseconds. The yardstick is the same requests through node:http
 * with as many at once and nothing done with the answers. The two take turns, --rounds times each, over one store and one judge.
 * Memory is what is in use after a garbage collection, at the end of each round.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { openAnswerStore } from "../src/endpoint/answer-store.ts";
import { createAsker } from "../src/endpoint/asker.ts";
import { openChatEndpoint } from "../src/endpoint/chat-endpoint.ts";
import type { RolloutWithPrompt } from "../src/judge/judge.ts";
import { createLlmJudge, type LlmJudge } from "../src/judge/llm-judge.ts";
import { rubricMessages } from "../src/judge/rubric-request.ts";
import { readRubric } from "../src/judge/rubric.ts";
import { isMissing, type Verdict, writeVerdicts } from "../src/judge/verdict.ts";
import { startFakeEndpoint } from "../test/support/fake-endpoint.ts";

const { values } = parseArgs({
  options: {
    verdicts: { type: "string", default: "10000" },
    concurrency: { type: "string", default: "64" },
    latency: { type: "string", default: "100" },
    rounds: { type: "string", default: "5" },
    serve: { type: "boolean", default: false },
  },
});
const COUNT = Number(values.verdicts);
const AT_ONCE = Number(values.concurrency);
const rubric = await readRubric("harm");

const rollout = (i: number): RolloutWithPrompt => ({
  id: `s/base/${i}`,
  scenario: "s",
  variant: "base",
  sample: i,
  prompt: [{ role: "user", content: `Question ${i}: how does it work?` }],
  response: `Answer ${i}. ${"It turns and turns until it stops. ".repeat(30)}`,
});

const ROUNDS = Number(values.rounds);
const ROUND = Math.ceil(COUNT / ROUNDS);

function* rollouts(round: number): Generator<RolloutWithPrompt> {
  for (let i = 0; i < ROUND; i++) yield rollout(round * ROUND + i);
}

/** Seconds that the endpoint takes by itself, asked in the plainest way. */
async function plainSeconds(url: string, count: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const ask = (i: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const { prompt, response } = rollout(i);
      const sent = request(
        `${url}/chat/completions`,
        { method: "POST", agent, headers: { "content-type": "application/json" } },
        (answer) => answer.on("end", resolve).resume(),
      );
      sent.on("error", reject);
      const messages = rubricMessages(rubric, prompt[0]!.content, response);
      sent.end(JSON.stringify({ model: "m", messages }));
    });
  let next = 0;
  const start = performance.now();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (next < count) await ask(next++);
    }),
  );
  agent.destroy();
  return (performance.now() - start) / 1000;
}

/** Seconds that one round of verdicts takes, written to a file. */
async function judgeSeconds(judge: LlmJudge, round: number, folder: string): Promise<number> {
  const checked = async function* (): AsyncGenerator<Verdict> {
    for await (const verdict of judge.judge(rollouts(round))) {
      if (isMissing(verdict)) throw new Error(`a verdict is missing: ${verdict.missing}`);
      yield verdict;
    }
  };
  const start = performance.now();
  await writeVerdicts(join(folder, `verdicts-${round}.jsonl`), checked());
  return (performance.now() - start) / 1000;
}

async function measure(url: string, folder: string): Promise<void> {
  const endpoint = openChatEndpoint({ baseUrl: url, model: "m" });
  const asker = createAsker(endpoint, { concurrency: AT_ONCE });
  await using store = await openAnswerStore(join(folder, "cache.jsonl"));
  const judge = createLlmJudge({ rubric, asker, store });
  await plainSeconds(url, AT_ONCE * 4);
  const seconds = { plain: 0, judge: 0, cpu: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const plain = await plainSeconds(url, ROUND);
    const cpu = process.cpuUsage();
    const judged = await judgeSeconds(judge, round, folder);
    const { user, system } = process.cpuUsage(cpu);
    seconds.plain += plain;
    seconds.judge += judged;
    seconds.cpu += (user + system) / 1e6;
    globalThis.gc?.();
    const { heapUsed, rss } = process.memoryUsage();
    console.log(
      `round ${round}: endpoint ${(ROUND / plain).toFixed(0)}/s, judge ${(ROUND / judged).toFixed(0)}/s, heap ${(heapUsed / 2 ** 20).toFixed(1)} MiB, resident ${(rss / 2 ** 20).toFixed(0)} MiB`,
    );
  }
  const all = ROUND * ROUNDS;
  console.log(`${all} verdicts, ${AT_ONCE} at once, answers after ${values.latency} ms`);
  console.log(
    `endpoint ${(all / seconds.plain).toFixed(0)}/s, judge ${(all / seconds.judge).toFixed(0)}/s: ${((100 * seconds.plain) / seconds.judge).toFixed(1)}%; ${((1000 * seconds.cpu) / all).toFixed(2)} ms of CPU a verdict`,
  );
}

if (values.serve) {
  const server = await startFakeEndpoint({ latencyMs: Number(values.latency) });
  process.send!(server.url);
} else {
  const folder = mkdtempSync(join(tmpdir(), "culprit-bench-"));
  const child = fork(fileURLToPath(import.meta.url), ["--serve", "--latency", values.latency]);
  try {
    const [url] = (await once(child, "message")) as [string];
    await measure(url, folder);
  } finally {
    child.kill();
    rmSync(folder, { recursive: true });
  }
}
