/** @file Scenarios that ask one request stay one unit from the scenarios file to every table, by the commands. */
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { beforeAll, describe, expect, it } from "vitest";

import { parseArguments } from "../src/cli/arguments.ts";
import { openEngine } from "../src/engine/local-host.ts";
import { createRulesJudge, readRuleSet } from "../src/judge/rules-judge.ts";
import { readVerdicts } from "../src/judge/verdict.ts";
import type { Evaluation } from "../src/rates/evaluation.ts";
import type { JudgeBesidePeople } from "../src/rates/judge-beside-people.ts";
import { readRolloutPrompts } from "../src/rollouts/rollout-prompts.ts";
import { readRollouts } from "../src/rollouts/rollouts.ts";
import { steer } from "../src/steering/steer.ts";
import { formatSteering } from "../src/verbs/show/steering.ts";
import { commandNamed, runCommand, silentContext } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";
import { makeTinyCheckpoint } from "./support/tiny-checkpoint.ts";

const REQUESTS = 3;
const SCENARIOS = 12;
const folder = suiteFolder();
const path = (name: string): string => join(folder, name);
const COUNTED = { scenarios: SCENARIOS, prompts: REQUESTS };

beforeAll(async () => {
  const bases = Array.from({ length: REQUESTS }, (_, i) => `Request number ${i}?`);
  writeFileSync(path("bases.txt"), bases.join("\n"));
  const words = ["--per-base", "4", "--out", path("scenarios.jsonl")];
  await runCommand("scenarios", [path("bases.txt"), ...words]);
  await makeTinyCheckpoint(path("tiny"));
  writeFileSync(
    path("rules.yaml"),
    "name: vowels\nbehavior: has an a\nrules: [{pattern: 'a', label: shows}]\notherwise: not\n",
  );
  await sample("rollouts.jsonl", "base,base+distractor");
  await judge("rollouts.jsonl", "verdicts.jsonl");
});

async function sample(out: string, variants: string): Promise<void> {
  const words = ["--checkpoint", path("tiny"), "--variants", variants, "--rollouts", "2"];
  const short = ["--max-tokens", "3", "--out", path(out)];
  await runCommand("generate", [path("scenarios.jsonl"), ...words, ...short]);
}

async function judge(rollouts: string, out: string): Promise<void> {
  // All are cut, and without the manifest that tells how they were sampled nothing shows that they are no thinking.
  const words = ["--rules", path("rules.yaml"), "--out", path(out), "--thinking", "none"];
  await runCommand("judge", [path(rollouts), ...words]);
}

const groupsIn = (name: string): Set<unknown> =>
  new Set(
    readFileSync(path(name), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { group?: string }).group),
  );

async function evaluate(...arms: string[]): Promise<Evaluation> {
  const words = arms.flatMap((verdicts, i) => ["--arm", `${i}=${path(verdicts)}`]);
  return JSON.parse(await runCommand("evaluate", [...words, "--json"])) as Evaluation;
}

describe("scenarios of one request", () => {
  it("are told by rollouts and verdicts, by a hash that does not hold the request", () => {
    const groups = groupsIn("rollouts.jsonl");
    expect(groups.size).toBe(REQUESTS);
    expect([...groups].every((group) => /^[0-9a-f]{16}$/.test(String(group)))).toBe(true);
    expect(groupsIn("verdicts.jsonl")).toEqual(groups);
  });

  it("are one unit for evaluate", async () => {
    const { variants, notes } = await evaluate("verdicts.jsonl");
    for (const variant of variants) {
      expect(variant).toMatchObject(COUNTED);
      expect(variant.arms[0]!.rate.prompts).toBe(REQUESTS);
    }
    expect(notes.join("\n")).toContain("base: 12 scenarios ask 3 requests");
    const table = await runCommand("evaluate", ["--arm", `a=${path("verdicts.jsonl")}`]);
    expect(table).toContain("base+distractor, 12 scenarios of 3 requests");
  });

  it("are one unit where the request alone was not sampled, and from Parquet", async () => {
    await sample("few.parquet", "base+distractor");
    await judge("few.parquet", "few.jsonl");
    expect((await evaluate("few.jsonl")).variants[0]).toMatchObject(COUNTED);
  });

  it("are one unit for agreement", async () => {
    const words = [path("verdicts.jsonl"), "--labels", path("verdicts.jsonl")];
    const json = await runCommand("agreement", [...words, "--json"]);
    const found = JSON.parse(json) as JudgeBesidePeople;
    expect(found).toMatchObject({ ...COUNTED, unchecked: 0 });
    expect(found.agreement.agreement.prompts).toBe(REQUESTS);
    expect(found.variants[0]!.rates.judge.prompts).toBe(REQUESTS);
    expect(await runCommand("agreement", words)).toContain("12 scenarios of 3 requests");
  });

  it("are one unit for conditions, by the verdicts alone", async () => {
    // The same verdicts, but not the same file, which would be refused.
    copyFileSync(path("verdicts.jsonl"), path("again.jsonl"));
    const both = [
      ["--before-verdicts", path("verdicts.jsonl")],
      ["--after-verdicts", path("again.jsonl")],
    ].flat();
    let printed = "";
    const context = { ...silentContext(), print: (text: string) => void (printed += text) };
    // One checkpoint cannot have brought anything out: the table comes before the error.
    await expect(
      commandNamed("conditions").run(parseArguments(commandNamed("conditions"), both), context),
    ).rejects.toThrow("none of 12 scenarios is left");
    expect(printed).toMatch(/\nafter × base +12 \(3 requests\) /);
  });

  it("are one unit for steer", async () => {
    await using engine = await openEngine(path("tiny"));
    const { prompts } = await readRolloutPrompts(path("scenarios.jsonl"), {
      variants: ["base+distractor"],
    });
    const vector = new Float32Array(engine.identity.dim).fill(1);
    const { report } = await steer(
      engine,
      {
        mode: "add",
        directions: [{ layer: 1, vector }],
        prompts,
        judge: createRulesJudge(await readRuleSet(path("rules.yaml"))),
        strength: 1,
        randomDirections: 1,
      },
      { out: path("steer"), samples: 1, maxTokens: 2 },
    );
    expect(report).toMatchObject({ prompts: 12, scenarios: SCENARIOS, requests: REQUESTS });
    expect(report.unsteered.rates[0]!.rate.prompts).toBe(REQUESTS);
    expect(report.layers[0]!.effects[0]!.steeredToUnsteered!.prompts).toBe(REQUESTS);
    expect(formatSteering(report, undefined)).toContain("12 prompts (12 scenarios of 3 requests)");
  });
});

describe("rollouts that do not say what they ask", () => {
  const strip = async (to: string, keep: (variant: string) => boolean): Promise<void> => {
    const lines: string[] = [];
    for await (const { group: _, ...rollout } of readRollouts(path("rollouts.jsonl"))) {
      if (keep(rollout.variant)) lines.push(`${JSON.stringify(rollout)}\n`);
    }
    // The variant that tells it comes last.
    writeFileSync(path(to), lines.toReversed().join(""));
  };

  it("are told by the prompts of the base variant when they are judged", async () => {
    await strip("old.jsonl", () => true);
    await judge("old.jsonl", "old-verdicts.jsonl");
    expect(groupsIn("old-verdicts.jsonl")).toEqual(groupsIn("verdicts.jsonl"));
    await runCommand("import", [path("old.jsonl"), "--out", path("new.jsonl")]);
    await judge("new.jsonl", "imported.jsonl");
    expect(groupsIn("imported.jsonl")).toEqual(groupsIn("verdicts.jsonl"));
  });

  it("are a request of their own each, where there is nothing to tell it by", async () => {
    await strip("bare.jsonl", (variant) => variant !== "base");
    await judge("bare.jsonl", "bare-verdicts.jsonl");
    const verdicts = await readVerdicts(path("bare-verdicts.jsonl"));
    expect(verdicts.filter(({ group }) => group !== undefined)).toEqual([]);
    const [variant] = (await evaluate("bare-verdicts.jsonl")).variants;
    expect(variant).toMatchObject({ scenarios: SCENARIOS, prompts: SCENARIOS });
  });
});
