/** @file `culprit generate --base-url` where the endpoint fails, is not there, answers nothing, or the run is killed. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { readAbsentRollouts } from "../src/rollouts/rollout-manifest.ts";
import { readRollouts } from "../src/rollouts/rollouts.ts";
import { ConfigError, RuntimeError } from "../src/util/errors.ts";
import { collect } from "./support/data-files.ts";
import { expectFailure } from "./support/errors.ts";
import { FAULT_KINDS, startFakeEndpoint } from "./support/fake-endpoint.ts";
import { killWhilePaying } from "./support/kill-while-paying.ts";
import { runCli } from "./support/run-cli.ts";
import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";

const folder = suiteFolder();
const path = (name: string): string => join(folder, name);

const SCENARIOS = path("scenarios.jsonl");
const SAMPLES = 4;
const ids = Array.from({ length: 15 }, (_, i) => `s${i}`);
writeFileSync(
  SCENARIOS,
  ids.map((id) => JSON.stringify({ id, base: `Ask ${id}`, distractor: "In a list." })).join("\n"),
);
const ALL = ids.flatMap((id) =>
  ["base", "base+distractor"].flatMap((variant) =>
    Array.from({ length: SAMPLES }, (_, sample) => `${id}/${variant}/${sample}`),
  ),
);

const words = (url: string, out: string, ...more: string[]): string[] => {
  const asked = ["--base-url", url, "--model", "m", "--rollouts", `${SAMPLES}`, "--out", out];
  asked.push("--max-missing", "1");
  return [SCENARIOS, ...asked, ...more];
};
const generate = (...given: Parameters<typeof words>): Promise<string> =>
  runCommand("generate", words(...given));

/** Which rollouts a file has, and which its manifest says are missing, with the cause. */
async function ended(out: string): Promise<{ sampled: string[]; missing: Map<string, string> }> {
  const rollouts = await collect(readRollouts(out));
  const absent = await readAbsentRollouts(out);
  return {
    sampled: rollouts.map(({ id }) => id),
    missing: new Map(absent.map(({ rollout, missing }) => [rollout, missing])),
  };
}

describe("an endpoint where 30% of the requests fail", () => {
  it("leaves every rollout sampled or missing with its cause, within the requests allowed", async () => {
    let share = 0.3;
    await using server = await startFakeEndpoint({
      get faultShare() {
        return share;
      },
      faults: [...FAULT_KINDS, "429-with-date"],
      answer: ({ messages, seed }) => `${messages[0]!.content} ${seed}`,
    });
    const out = path("faults.jsonl");
    const flags = ["--attempts", "2", "--timeout", "1.5", "--concurrency", "32"];
    const printed = JSON.parse(await generate(server.url, out, ...flags, "--json")) as unknown;
    const { sampled, missing } = await ended(out);
    expect([...sampled, ...missing.keys()].toSorted()).toEqual(ALL.toSorted());
    expect([...server.counts.faults.keys()].toSorted()).toEqual(
      [...FAULT_KINDS, "429-with-date"].toSorted(),
    );
    const causes = [...new Set(missing.values())];
    expect(causes.length).toBeGreaterThan(1);
    for (const cause of causes) {
      expect(cause).toMatch(
        /^not sampled: (rate limited \(429\)|server error \(500\)|timed out|connection cut|answer is not JSON|answer without text)$/,
      );
    }
    const first = server.counts.requests;
    expect(first).toBeLessThanOrEqual(2 * ALL.length);
    expect(printed).toMatchObject({ rollouts: sampled.length, requests: first });

    share = 0;
    await generate(server.url, out, ...flags);
    const again = await ended(out);
    // What was answered, if by nothing, is paid for and not asked again.
    expect(new Set(again.missing.values())).toEqual(new Set(["not sampled: answer without text"]));
    const unanswered = missing.size - again.missing.size;
    expect(server.counts.requests - first).toBe(unanswered);
    expect(again.sampled.length).toBe(ALL.length - again.missing.size);
  });
});

describe("an answer without a text", () => {
  it.each([
    [{ content: null, tool_calls: [{ id: "c" }] }, "answer without text: tool calls"],
    [{ content: null, reasoning_content: "Hm" }, "answer without text: thinking alone"],
    [{ content: "", reasoning: "Hm" }, "answer without text: thinking alone"],
    [{ content: null }, "answer without text"],
    [{ content: " \n" }, "answer without text"],
  ])("is missing with its cause, and not asked for again: %j", async (message, cause) => {
    await using server = await startFakeEndpoint({
      choice: ({ messages }) => ({
        message: messages[0]!.content.startsWith("Ask s1") ? message : { content: "Yes." },
        finish_reason: "stop",
      }),
    });
    const out = path(`null-${cause.length}-${JSON.stringify(message).length}.jsonl`);
    const warned: string[] = [];
    await runCommand("generate", words(server.url, out), (line) => void warned.push(line));
    const { sampled, missing } = await ended(out);
    expect(sampled.length + missing.size).toBe(ALL.length);
    expect(missing.get("s1/base/0")).toBe(`not sampled: ${cause}`);
    expect(missing.get("s2/base/0")).toBeUndefined();
    expect(warned.join()).toMatch(/^48 samples failed and are not in/);
    expect(await generate(server.url, out)).toContain(`48 failed: ${cause}\n0 requests`);
  });
});

describe("generate --force", () => {
  it("asks again for samples whose answer had no text, and for those alone", async () => {
    let isBroken = true;
    await using server = await startFakeEndpoint({
      answer: ({ messages }) =>
        isBroken && messages[0]!.content.startsWith("Ask s1") ? "" : "Yes.",
    });
    const out = path("forced.jsonl");
    await generate(server.url, out);
    isBroken = false;
    const before = server.counts.requests;
    expect((await ended(out)).missing.size).toBe(48);
    await generate(server.url, out, "--force");
    expect([server.counts.requests - before, (await ended(out)).sampled]).toEqual([48, ALL]);
    // From now on the answer with a text is the sample's.
    expect(await generate(server.url, out)).toContain("120 of them there already\n0 requests");
    expect(await generate(server.url, out, "--force")).toContain("\n0 requests");
  });
});

describe("an endpoint that answers nobody", () => {
  it.each([
    [401, "bad key", /^http.*\/v1: expected a key that it accepts, got key refused \(401\)$/],
    [403, "no", /^http.*\/v1: expected a key that it accepts, got not allowed \(403\)$/],
    [404, "gone", /^http.*\/v1: expected the model "m" .*no such model or address \(404\)$/],
  ])("ends the run at once: %i", async (status, text, message) => {
    await using server = await startFakeEndpoint({ refuse: () => ({ status, message: text }) });
    const out = path(`refused-${status}.jsonl`);
    const run = generate(server.url, out, "--concurrency", "2");
    const error = await expectFailure(run, ConfigError);
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(/--api-key-env|\/v1\/models lists the names/);
    expect(server.counts.requests).toBeLessThanOrEqual(4);
    for (const name of [out, `${out}.answers.jsonl`]) expect(existsSync(name)).toBe(false);
  });

  it("ends the run at once where nobody listens, and keeps what was answered before", async () => {
    const out = path("down.jsonl");
    const server = await startFakeEndpoint({ latencyMs: 5 });
    const some = ["--limit", "10", "--attempts", "1"];
    await generate(server.url, out, ...some);
    const answers = readFileSync(`${out}.answers.jsonl`, "utf8");
    await server[Symbol.asyncDispose]();
    const more = words(server.url, out, "--force");
    const run = runCommand("generate", more);
    const error = await expectFailure(run, RuntimeError);
    expect(error.message).toBe(`${server.url}: endpoint unreachable (ECONNREFUSED)`);
    expect(error.hint).toMatch(/^Start the server, or correct the address/);
    expect(readFileSync(`${out}.answers.jsonl`, "utf8")).toBe(answers);
  });

  it("is refused before anything is asked where address or key are none", async () => {
    const out = path("none.jsonl");
    await expect(generate("notaurl", out)).rejects.toThrow(/an address such as .*, got "notaurl"$/);
    const keyed = (variable: string): Promise<string> =>
      generate("http://127.0.0.1:9/v1", out, "--api-key-env", variable);
    await expect(keyed("CULPRIT_NO_SUCH_KEY")).rejects.toThrow(
      /^--api-key-env: .*, got CULPRIT_NO_SUCH_KEY, which is not set$/,
    );
    await expect(keyed("sk-hush")).rejects.toThrow(/never the key itself, got another text$/);
    await expect(generate("http://127.0.0.1:9/v1", out)).rejects.toThrow(/unreachable \(bad port/);
    expect(existsSync(`${out}.answers.jsonl`)).toBe(false);
  });
});

describe("limits", () => {
  it("keeps to --requests-per-minute", async () => {
    await using server = await startFakeEndpoint();
    const flags = ["--limit", "4", "--requests-per-minute", "1200"];
    const startMs = performance.now();
    await generate(server.url, path("slow.jsonl"), ...flags);
    // 16 requests, 50 ms apart; no upper bound, for machines differ.
    expect(server.counts.requests).toBe(16);
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(15 * 50);
  });
});

describe("two servers that call their models the same", () => {
  const saying = (who: string): ReturnType<typeof startFakeEndpoint> =>
    startFakeEndpoint({ answer: ({ seed }) => `${who} ${seed}`, latencyMs: 5 });
  const speakers = (out: string): ReadonlySet<string> =>
    new Set([...readFileSync(out, "utf8").matchAll(/"response":"(M\d)/g)].map(([, who]) => who!));

  it("keep their answers apart: with --force, without the output, and after a kill", async () => {
    await using before = await saying("M0");
    await using after = await saying("M1");
    const out = path("two.jsonl");
    await generate(before.url, out);
    expect(speakers(out)).toEqual(new Set(["M0"]));
    await generate(after.url, out, "--force");
    expect(speakers(out)).toEqual(new Set(["M1"]));
    for (const name of [out, `${out}.json`]) rmSync(name);
    await generate(before.url, out);
    expect(speakers(out)).toEqual(new Set(["M0"]));
    expect([before.counts.answers, after.counts.answers]).toEqual([ALL.length, ALL.length]);

    const killed = path("two-killed.jsonl");
    await runCli(["generate", ...words(before.url, killed, "--concurrency", "2")], {
      onStart: (child) => {
        const timer = setInterval(() => {
          if (before.counts.answers < ALL.length + 10) return;
          clearInterval(timer);
          child.kill("SIGKILL");
        }, 5);
      },
    });
    await generate(after.url, killed);
    expect(speakers(killed)).toEqual(new Set(["M1"]));
  });

  it("are told by their address, however it is written", async () => {
    await using server = await saying("M0");
    const out = path("slash.jsonl");
    await generate(server.url, out);
    await generate(`${server.url}/`.replace("http:", "HTTP:"), out);
    await generate(`${server.url}/`, out, "--force");
    expect(server.counts.answers).toBe(ALL.length);
  });
});

describe("kill -9", () => {
  it("loses no answer that was paid for, and ends as an undisturbed run does", async () => {
    await using server = await startFakeEndpoint({
      latencyMs: 40,
      answer: ({ messages, seed }) => `${messages[0]!.content} ${seed}`,
    });
    const out = path("killed.jsonl");
    const command = ["generate", ...words(server.url, out, "--concurrency", "4")];
    const stored = await killWhilePaying(command, server, `${out}.answers.jsonl`);
    const { code, stdout } = await runCli([...command, "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      rollouts: ALL.length,
      resumed: stored,
      requests: ALL.length - stored,
    });
    const fresh = path("fresh.jsonl");
    await generate(server.url, fresh);
    expect(readFileSync(out, "utf8")).toBe(readFileSync(fresh, "utf8"));
  });
});
