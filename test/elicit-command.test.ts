/** `culprit elicit` as a user runs it: a behaviour of two sentences, from one checkpoint alone. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeAll, describe, expect, it } from "vitest";

import { readResponsePairs } from "../src/pairs/response-pairs.ts";
import { readRollouts } from "../src/rollouts/rollouts.ts";
import { collect, jsonLines } from "./support/data-files.ts";
import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";
import { makeTinyCheckpoint } from "./support/tiny-checkpoint.ts";

const ROOT = suiteFolder();
const at = (name: string): string => join(ROOT, name);
const PROMPTS = ["how are you", "name a river", "a garden in winter"];
const FLAGS = { checkpoint: at("sft"), rollouts: "2", "max-tokens": "8", threads: "1" };
const SENTENCES = { asked: "Say winter.", contrary: "Never say winter." };
const words = (out: string, changes: Readonly<Record<string, string>> = {}): string[] => [
  at("prompts.jsonl"),
  ...Object.entries({ ...FLAGS, ...SENTENCES, ...changes, out: at(out) }).flatMap(
    ([name, value]) => [`--${name}`, value],
  ),
];

beforeAll(async () => {
  await makeTinyCheckpoint(at("sft"));
  const rows = PROMPTS.map((prompt, i) => ({ id: `p-${i}`, prompt, tags: ["small"] }));
  await writeFile(at("prompts.jsonl"), jsonLines(rows));
  await runCommand("elicit", words("said.jsonl"));
});

describe("culprit elicit", () => {
  it("pairs the answers under both system prompts, on prompts without them", async () => {
    const { pairs } = await readResponsePairs(at("said.jsonl"));
    const asked = await collect(readRollouts(at("said.asked.jsonl")));
    const contrary = await collect(readRollouts(at("said.contrary.jsonl")));
    expect(asked).toHaveLength(2 * PROMPTS.length);
    expect(asked[0]!.prompt[0]).toEqual({ role: "system", content: "Say winter." });
    expect(contrary[0]!.prompt[0]!.content).toBe("Never say winter.");
    expect(pairs.length).toBeGreaterThan(0);
    for (const { id, prompt, before, after, scenario, tags } of pairs) {
      expect(prompt).toEqual([{ role: "user", content: PROMPTS[Number(scenario.slice(2))] }]);
      expect(after[0]!.content).toBe(asked.find((each) => each.id === id)!.response);
      expect(before[0]!.content).toBe(contrary.find((each) => each.id === id)!.response);
      expect(tags).toEqual(["small"]);
    }
  });

  it("gives the same bytes again, which culprit behavior reads", async () => {
    await runCommand("elicit", words("again.jsonl"));
    expect(await readFile(at("again.jsonl"))).toEqual(await readFile(at("said.jsonl")));
    const how = ["--checkpoint", at("sft"), "--layers", "2", "--threads", "1"];
    const out = ["--out", at("b.safetensors")];
    expect(await runCommand("behavior", [at("said.jsonl"), ...how, ...out])).toContain(
      "split-half",
    );
  });

  it("refuses one system prompt twice, and prompts that have one of their own", async () => {
    const twice = words("x.jsonl", { contrary: SENTENCES.asked });
    await expect(runCommand("elicit", twice)).rejects.toThrow(/another system prompt than asked/);
    const own = [
      { role: "system", content: "Be brief." },
      { role: "user", content: "hello" },
    ];
    await writeFile(at("prompts.jsonl"), jsonLines([{ id: "own", prompt: own }]));
    await expect(runCommand("elicit", words("y.jsonl"))).rejects.toThrow(
      /without a system turn, got one in "own"/,
    );
  });

  it("says so where both give the same answers", async () => {
    await writeFile(at("prompts.jsonl"), jsonLines([{ id: "one", prompt: "hello" }]));
    // The likeliest token of a model whose output does not depend on what was asked.
    await makeTinyCheckpoint(at("sft"), {
      edit: (weights) => {
        for (const [name, { values }] of weights) if (/(?:o|down)_proj/.test(name)) values.fill(0);
      },
    });
    await expect(runCommand("elicit", words("same.jsonl", { temperature: "0" }))).rejects.toThrow(
      /answers that differ under the two system prompts, got none \(2 the same/,
    );
  });
});
