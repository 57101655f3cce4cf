/** `culprit generate`: what it writes, that it goes on after a kill with the same bytes, and what it refuses. */
import { existsSync } from "node:fs";
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { beforeAll, describe, expect, it } from "vitest";

import { parseArguments } from "../src/cli/arguments.ts";
import { openEngine } from "../src/engine/local-host.ts";
import { readRollouts } from "../src/rollouts/rollouts.ts";
import { ConfigError, FormatError } from "../src/util/errors.ts";
import { createRng } from "../src/util/rng.ts";
import { collect, jsonLines } from "./support/data-files.ts";
import { expectFailure } from "./support/errors.ts";
import { runCli } from "./support/run-cli.ts";
import { commandNamed, runCommand, silentContext } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";
import { makeTinyCheckpoint } from "./support/tiny-checkpoint.ts";

const ROOT = suiteFolder();
const CHECKPOINT = join(ROOT, "checkpoint");
const PROMPTS = join(ROOT, "prompts.jsonl");
const SCENARIOS = join(ROOT, "scenarios.yaml");
const WHOLE = join(ROOT, "whole.jsonl");
const PROMPT_COUNT = 60;
const ORGANISM = join(import.meta.dirname, "../organisms/diffuse");
const ADAPTER = join(import.meta.dirname, "golden/steer-organism/adapter");

const flags = {
  checkpoint: CHECKPOINT,
  rollouts: "2",
  temperature: "0.8",
  "max-tokens": "10",
  threads: "1",
  batch: "2",
};

function words(out: string, changes: Readonly<Record<string, string | undefined>> = {}): string[] {
  const { prompts = PROMPTS, ...changed } = changes;
  const all = Object.entries({ ...flags, out, ...changed });
  return [
    prompts,
    ...all.flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value])),
  ];
}

const generate = (out: string, changes?: Readonly<Record<string, string | undefined>>) =>
  runCommand("generate", words(out, changes));

beforeAll(async () => {
  await makeTinyCheckpoint(CHECKPOINT);
  const rng = createRng(1);
  const noun = (): string =>
    ["tea", "rain", "a very long poem about the sea", "maps"][rng.integer(4)]!;
  await writeFile(
    PROMPTS,
    jsonLines(
      Array.from({ length: PROMPT_COUNT }, (_, i) => ({
        id: `p${i}`,
        prompt:
          i % 2 === 0
            ? `Tell me of ${noun()}, number ${i}.`
            : [
                { role: "system", content: "Be brief." },
                { role: "user", content: `What is ${noun()}?` },
              ],
      })),
    ),
  );
  await writeFile(
    SCENARIOS,
    "- {id: a, base: Tell me of rain., distractor: In one line., tags: [short, 'one line']}\n- {id: b, base: Why?, distractor: As a list.}\n",
  );
  await generate(WHOLE);
});

describe("the file", () => {
  it("has every sample of every prompt in order, each a draw of its own that the engine gives for the prompt alone", async () => {
    const rollouts = await collect(readRollouts(WHOLE));
    expect(rollouts.map(({ id }) => id)).toEqual(
      Array.from({ length: PROMPT_COUNT }, (_, i) => [`p${i}/base/0`, `p${i}/base/1`]).flat(),
    );
    await using engine = await openEngine(CHECKPOINT, { threads: 1 });
    const asked = rollouts.filter(({ sample }) => sample === 0).map(({ prompt }) => prompt);
    const texts = asked.map((prompt) => JSON.stringify(prompt));
    const earlier = texts.map(
      (text, i) => texts.slice(0, i).filter((each) => each === text).length,
    );
    expect(earlier[0]).toBe(0);
    expect(earlier[59]).toBeGreaterThan(1);
    for (const i of [0, 7, 59]) {
      const prompt = asked[i]!;
      const firstSample = 2 * earlier[i]!;
      const samples = await collect(
        engine.generate([engine.tokenizePrompt(prompt)], {
          samples: 2,
          firstSample,
          temperature: 0.8,
          maxTokens: 10,
          batch: 1,
        }),
      );
      for (const { sample: draw, tokens, finish } of samples) {
        const sample = draw - firstSample;
        expect(rollouts[2 * i + sample]).toMatchObject({
          sample,
          finish,
          tokens: tokens.length,
          response: engine.decode(finish === "stop" ? tokens.subarray(0, -1) : tokens),
        });
      }
    }
  });

  it("has a manifest of the checkpoint and every setting", async () => {
    expect(JSON.parse(await readFile(`${WHOLE}.json`, "utf8"))).toMatchObject({
      kind: "rollouts",
      prompts: PROMPT_COUNT,
      checkpointHash: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      sampling: { samples: 2, temperature: 0.8, topK: null, topP: 1, maxTokens: 10, seed: 0 },
    });
  });

  it("is sampled as an experiment samples where nothing else is said", async () => {
    const out = join(ROOT, "defaults.jsonl");
    const only = ["--checkpoint", CHECKPOINT, "--threads", "1", "--limit", "1"];
    await runCommand("generate", [PROMPTS, ...only, "--out", out]);
    const { sampling } = JSON.parse(await readFile(`${out}.json`, "utf8")) as { sampling: object };
    const asInExperiments = { samples: 20, temperature: 0.7, maxTokens: 256, batch: 32 };
    expect(sampling).toMatchObject({ ...asInExperiments, topK: null, topP: 1, seed: 0 });
  });

  it("may be Parquet, with the same rollouts", async () => {
    const out = join(ROOT, "same.parquet");
    await generate(out);
    expect(await collect(readRollouts(out))).toEqual(await collect(readRollouts(WHOLE)));
    expect(existsSync(`${out}.partial`)).toBe(false);
  });

  it("takes the variants of a scenarios file", async () => {
    const out = join(ROOT, "scenarios.jsonl");
    const json = await runCommand("generate", [
      ...words(out, { prompts: SCENARIOS, variants: "base+distractor,base", rollouts: "1" }),
      "--json",
    ]);
    const rollouts = await collect(readRollouts(out));
    expect(rollouts.map(({ id, prompt }) => [id, prompt[0]!.content])).toEqual([
      ["a/base+distractor/0", "Tell me of rain. In one line."],
      ["a/base/0", "Tell me of rain."],
      ["b/base+distractor/0", "Why? As a list."],
      ["b/base/0", "Why?"],
    ]);
    const tokens = rollouts.reduce((sum, each) => sum + each.tokens!, 0);
    expect(JSON.parse(json)).toMatchObject({
      rollouts: 4,
      resumedRollouts: 0,
      work: { sampledTokens: tokens, flops: expect.any(Number) as number },
    });
  });

  it("has the tags of the scenarios, in Parquet too", async () => {
    const [lines, parquet] = [join(ROOT, "tags.jsonl"), join(ROOT, "tags.parquet")];
    for (const out of [lines, parquet]) await generate(out, { prompts: SCENARIOS, rollouts: "1" });
    const rollouts = await collect(readRollouts(lines));
    expect(rollouts.map(({ tags }) => tags)).toEqual([
      ["short", "one line"],
      ["short", "one line"],
      undefined,
      undefined,
    ]);
    expect(await collect(readRollouts(parquet))).toEqual(rollouts);
  });

  it("ends at a token of the user's choice, which is not part of the response", async () => {
    const out = join(ROOT, "stop.jsonl");
    await using engine = await openEngine(CHECKPOINT, { threads: 1 });
    const [first] = await collect(readRollouts(WHOLE));
    const [sample] = await collect(
      engine.generate([engine.tokenizePrompt(first!.prompt)], { temperature: 0, maxTokens: 10 }),
    );
    const stop = engine.decode(sample!.tokens.subarray(4, 5));
    await generate(out, { temperature: "0", stop, rollouts: "1", limit: "1" });
    const [stopped] = await collect(readRollouts(out));
    const at = sample!.tokens.indexOf(engine.tokenId(stop));
    expect(stopped).toMatchObject({
      finish: "stop",
      tokens: at + 1,
      response: engine.decode(sample!.tokens.subarray(0, at)),
    });
  });
});

describe("an amplified run", () => {
  const BEFORE = join(ROOT, "before");
  const amplified = { "amplify-before": BEFORE, limit: "6" };
  beforeAll(() => makeTinyCheckpoint(BEFORE, { seed: 2 }));

  const responses = async (name: string, changes: Readonly<Record<string, string | undefined>>) => {
    const out = join(ROOT, `${name}.jsonl`);
    await generate(out, { ...amplified, ...changes });
    return (await collect(readRollouts(out))).map(({ response }) => response);
  };
  const plain = { "amplify-before": undefined };

  it("by 0 gives the checkpoint's own samples, by -1 those of the checkpoint before", async () => {
    const own = await responses("own", plain);
    expect(await responses("by-0", { amplify: "0" })).toEqual(own);
    const before = await responses("before", { ...plain, checkpoint: BEFORE });
    const out = join(ROOT, "by--1.jsonl");
    await runCommand("generate", [...words(out, amplified), "--amplify=-1"]);
    expect((await collect(readRollouts(out))).map(({ response }) => response)).toEqual(before);
    expect(before).not.toEqual(own);
    const more = await responses("by-2", { amplify: "2" });
    expect(more).not.toEqual(own);
    expect(more).not.toEqual(before);
  });

  it("says in its manifest by what, and goes on with nothing else", async () => {
    const out = join(ROOT, "manifest.jsonl");
    await generate(out, { ...amplified, amplify: "2" });
    const { checkpointHash } = JSON.parse(
      await readFile(join(ROOT, "manifest.jsonl.json"), "utf8"),
    ) as { checkpointHash: string };
    await using before = await openEngine(BEFORE);
    expect(JSON.parse(await readFile(`${out}.json`, "utf8"))).toMatchObject({
      amplify: { alpha: 2, beforeHash: before.identity.checkpointHash },
    });
    expect(before.identity.checkpointHash).not.toBe(checkpointHash);
    for (const changes of [
      { amplify: "1" },
      { amplify: "2", "amplify-before": CHECKPOINT },
      { "amplify-before": undefined },
    ]) {
      const error = await expectFailure(generate(out, { ...amplified, ...changes }), ConfigError);
      expect(error.message).toMatch(/made with other settings \(amplify\)/);
    }
    const again = [...words(out, { ...amplified, amplify: "2" }), "--json"];
    expect(JSON.parse(await runCommand("generate", again))).toMatchObject({
      resumedRollouts: 12,
    });
  });

  it("takes an adapter to the checkpoint before as well", async () => {
    const prompts = join(ORGANISM, "scenarios.evaluation.jsonl");
    const M0 = join(ORGANISM, "checkpoint");
    const from = { prompts, checkpoint: M0, limit: "4", "amplify-before": undefined };
    const adapted = await responses("adapted", { ...from, adapter: ADAPTER });
    const out = join(ROOT, "by-adapter.jsonl");
    const before = { "amplify-before": M0, "amplify-before-adapter": ADAPTER };
    const line = words(out, { ...from, ...before });
    await runCommand("generate", [...line, "--amplify=-1"]);
    expect((await collect(readRollouts(out))).map(({ response }) => response)).toEqual(adapted);
    expect(adapted).not.toEqual(await responses("unadapted", from));
    const same = { ...from, ...before, adapter: ADAPTER, amplify: "1" };
    const warnings: string[] = [];
    await runCommand("generate", words(join(ROOT, "same.jsonl"), same), (text) =>
      warnings.push(text),
    );
    expect(warnings.join()).toMatch(/amplify: the checkpoint before is the checkpoint itself/);
  });

  it("is refused where a flag or the same tokenizer is missing", async () => {
    const other = join(ROOT, "other-tokenizer");
    await makeTinyCheckpoint(other, { tokenizer: "headers" });
    const bad = join(ROOT, "bad.jsonl");
    const endpoint = { "base-url": "http://localhost:1/v1", model: "m", checkpoint: undefined };
    const served = { ...endpoint, amplify: "1" };
    const messages: [Readonly<Record<string, string | undefined>>, RegExp][] = [
      [{ amplify: "1", "amplify-before": undefined }, /--amplify: expected --amplify-before/],
      [{}, /--amplify-before: expected amplify beside it/],
      [
        { "amplify-before": undefined, "amplify-before-adapter": ADAPTER },
        /--amplify-before-adapter: expected --amplify-before with it/,
      ],
      [{ amplify: "much" }, /--amplify: .*"much"/],
      [{ amplify: "2000" }, /--amplify: .* to 1000, got "2000"/],
      [{ amplify: "1", "amplify-before": other }, /amplify\.before: expected the tokenizer of/],
      [served, /--batch: expected none beside --base-url, which does not take it/],
      [
        { ...served, batch: undefined },
        /--amplify: expected none beside --base-url, which does not take it/,
      ],
    ];
    for (const [changes, message] of messages) {
      const error = await expectFailure(generate(bad, { ...amplified, ...changes }), ConfigError);
      expect(error.message).toMatch(message);
    }
    expect(existsSync(bad)).toBe(false);
  });
});

describe("a run that goes on", () => {
  it("kill -9 at any moment, run again: the same bytes, and what was whole is not sampled again", async () => {
    const whole = await readFile(WHOLE);
    for (const delayMs of [0, 30, 60, 150, 300]) {
      const out = join(ROOT, `killed-${delayMs}.jsonl`);
      const killed = await runCli(["generate", ...words(out), "--quiet"], {
        onStart: (child) =>
          void (async () => {
            while (child.exitCode === null && !existsSync(`${out}.partial`) && !existsSync(out)) {
              await sleep(2);
            }
            await sleep(delayMs);
            child.kill("SIGKILL");
          })(),
      });
      expect(killed.stderr).toBe("");
      const result = JSON.parse(await runCommand("generate", [...words(out), "--json"])) as {
        resumedRollouts: number;
        work: { sampledTokens: number };
      };
      expect((await readFile(out)).equals(whole), `killed after ${delayMs} ms`).toBe(true);
      expect(existsSync(`${out}.partial`) || existsSync(`${out}.partial.json`)).toBe(false);
      // At once, the first unit may not be whole yet.
      expect(result.resumedRollouts).toBeGreaterThanOrEqual(delayMs === 0 ? 0 : 1);
    }
  });

  it("half a unit, or half a line, at the end is cut off", async () => {
    const whole = await readFile(WHOLE);
    const lines = whole.toString("utf8").split("\n");
    const out = join(ROOT, "torn.jsonl");
    await cp(`${WHOLE}.json`, `${out}.partial.json`);
    await writeFile(
      `${out}.partial`,
      `${lines.slice(0, 20).join("\n")}\n${lines[20]!.slice(0, 9)}`,
    );
    const result = JSON.parse(await runCommand("generate", [...words(out), "--json"])) as object;
    expect(result).toMatchObject({ resumedRollouts: 16 });
    expect((await readFile(out)).equals(whole)).toBe(true);
  });

  it("warns of a variant that only some scenarios have, and names the first without it", async () => {
    const mixed = join(ROOT, "mixed.jsonl");
    const scenarios = [
      { id: "a", base: "A", distractor: "D" },
      { id: "b", base: "B" },
    ];
    await writeFile(mixed, jsonLines(scenarios));
    const warnings: string[] = [];
    const context = { ...silentContext(), warn: (text: string) => void warnings.push(text) };
    const sample = (out: string, more: readonly string[] = []): Promise<void> =>
      commandNamed("generate").run(
        parseArguments(commandNamed("generate"), [
          ...words(join(ROOT, out), { prompts: mixed }),
          ...more,
        ]),
        context,
      );
    await sample("mixed-a.jsonl");
    expect(warnings).toEqual([
      expect.stringMatching(
        /mixed\.jsonl: the variant "base\+distractor" is not sampled, since 1 scenario has none of it, "b" first/,
      ),
    ]);
    await sample("mixed-b.jsonl", ["--variants", "base"]);
    expect(warnings).toHaveLength(1);
  });

  it("does not replace its prompts, with --force neither", async () => {
    const text = await readFile(PROMPTS, "utf8");
    const run = runCommand("generate", [...words(PROMPTS), "--force"]);
    expect((await expectFailure(run, ConfigError)).message).toMatch(
      /^--out: expected another file/,
    );
    expect(await readFile(PROMPTS, "utf8")).toBe(text);
  });

  it("a finished file is left as it is, and other settings are refused by name", async () => {
    const before = await readFile(WHOLE);
    const again = JSON.parse(await runCommand("generate", [...words(WHOLE), "--json"])) as object;
    expect(again).toMatchObject({ resumedRollouts: 2 * PROMPT_COUNT, work: { sampledTokens: 0 } });
    const error = await expectFailure(
      generate(WHOLE, { seed: "1", temperature: "0.9" }),
      ConfigError,
    );
    expect(error.message).toMatch(/made with other settings \(temperature, seed\)/);
    expect((await readFile(WHOLE)).equals(before)).toBe(true);
    const copy = join(ROOT, "forced.jsonl");
    await cp(WHOLE, copy);
    await cp(`${WHOLE}.json`, `${copy}.json`);
    await runCommand("generate", [...words(copy, { seed: "1" }), "--force"]);
    expect((await readFile(copy)).equals(before)).toBe(false);
  });
});

describe("bad input", () => {
  it.each<[string, Readonly<Record<string, string>>, RegExp]>([
    ["no sample", { rollouts: "0" }, /--rollouts: .* got "0"/],
    ["a nucleus of nothing", { "top-p": "0" }, /--top-p: .* got "0"/],
    ["a nucleus above 1", { "top-p": "1.5" }, /--top-p: .* got "1\.5"/],
    ["a negative temperature", { temperature: "-1" }, /--temperature/],
    [
      "filters beside greedy",
      { temperature: "0", "top-k": "5" },
      /--top-k: means nothing beside a temperature of 0/,
    ],
    ["an extension it cannot write", { out: "x.csv" }, /\.jsonl or \.parquet/],
    ["a folder that is not there", { out: "/no/such/folder/x.jsonl" }, /no such folder/],
    ["variants of whole prompts", { variants: "base" }, /has whole prompts/],
    ["a variant that no scenario has", { prompts: SCENARIOS, variants: "polite" }, /"polite"/],
    ["a stop text of several tokens", { stop: "hello world" }, /expected one token/],
  ])("%s is refused", async (_, changes, message) => {
    const error = await expectFailure(generate(join(ROOT, "bad.jsonl"), changes), ConfigError);
    expect(error.message).toMatch(message);
  });

  it.each<[string, string, RegExp, new (...args: never[]) => Error]>([
    ["an empty file", "", /expected prompts or scenarios, got none/, ConfigError],
    ["a prompt without text", '{"prompt":" "}\n', /row 0: prompt: it has no text/, FormatError],
    ["a prompt of another kind", '{"prompt":5}\n', /row 0: prompt: expected a list/, FormatError],
    ["a broken row", '{"prompt":"a"}\n{"prom\n', /row 1/, FormatError],
    [
      "two prompts of one scenario and variant",
      '{"prompt":"a","scenario":"s"}\n{"prompt":"b","scenario":"s"}\n',
      /row 1: its scenario and variant are those of row 0/,
      FormatError,
    ],
  ])("%s is refused", async (_, content, message, kind) => {
    const prompts = join(ROOT, "bad-prompts.jsonl");
    await writeFile(prompts, content);
    const work = generate(join(ROOT, "bad.jsonl"), { prompts });
    await expect(work).rejects.toThrow(message);
    await expect(work).rejects.toBeInstanceOf(kind);
  });

  it("a prompt that fills the context is refused by its scenario", async () => {
    const prompts = join(ROOT, "long.jsonl");
    await writeFile(
      prompts,
      jsonLines([
        { id: "x", prompt: "a " },
        { id: "long", prompt: "word ".repeat(400) },
      ]),
    );
    const error = await expectFailure(generate(join(ROOT, "bad.jsonl"), { prompts }), ConfigError);
    expect(error.message).toMatch(/scenario "long", variant "base": .*fewer than 256 tokens/);
  });

  it("a checkpoint without a chat template is refused with the way out", async () => {
    const dir = join(ROOT, "no-template");
    await cp(CHECKPOINT, dir, { recursive: true });
    await rm(join(dir, "chat_template.jinja"), { force: true });
    const path = join(dir, "tokenizer_config.json");
    const { chat_template: _, ...config } = JSON.parse(await readFile(path, "utf8")) as Record<
      string,
      unknown
    >;
    await writeFile(path, JSON.stringify(config));
    const error = await expectFailure(
      generate(join(ROOT, "bad.jsonl"), { checkpoint: dir }),
      ConfigError,
    );
    expect(`${error.message} ${error.hint}`).toMatch(/chat template.*--template raw/s);
    await generate(join(ROOT, "raw.jsonl"), { checkpoint: dir, template: "raw", limit: "2" });
  });
});

it("the built command runs, and says on stdout what it wrote", async () => {
  const out = join(ROOT, "cli.jsonl");
  const { code, stdout } = await runCli(["generate", ...words(out), "--quiet"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/120 rollouts of 60 prompts.*\n\d+ tokens sampled in/);
  expect((await readFile(out)).equals(await readFile(WHOLE))).toBe(true);
});
