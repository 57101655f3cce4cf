/** @file `culprit steer` as users run it: killed runs, and an LLM for a judge. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, it, vi } from "vitest";

import { parseArguments } from "../src/cli/arguments.ts";
import { localHost } from "../src/engine/local-host.ts";
import { runStages } from "../src/experiment/run-stages.ts";
import { verbStage } from "../src/experiment/verb-stage.ts";
import { readVerdicts, type SteeringReport } from "../src/index.ts";
import { readRuleSet } from "../src/judge/rules-judge.ts";
import { readRolloutPrompts } from "../src/rollouts/rollout-prompts.ts";
import { checkpointAt } from "../src/verbs/inputs/checkpoint.ts";
import { openBehaviorToSteer, steer as verb } from "../src/verbs/steer.ts";
import { type AskedBody, startFakeEndpoint } from "./support/fake-endpoint.ts";
import { runCli } from "./support/run-cli.ts";
import { commandNamed, runCommand, silentContext } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";

vi.setConfig({ testTimeout: 120_000 });

const folder = suiteFolder();
const ORGANISM = join(import.meta.dirname, "../organisms/diffuse");
const FILES = join(import.meta.dirname, "golden/steer-organism");
const ADD = {
  mode: "add",
  layers: "1,3",
  grid: "0.5,1,3",
  halvings: "1",
  "random-directions": "2",
};
const RULES = { rules: join(ORGANISM, "rules.yaml") };

const words = (out: string, more: Readonly<Record<string, string>>): string[] => [
  join(ORGANISM, "scenarios.evaluation.jsonl"),
  ...Object.entries({
    checkpoint: join(ORGANISM, "checkpoint"),
    behavior: join(FILES, "behavior.safetensors"),
    limit: "8",
    rollouts: "2",
    temperature: "0.7",
    "max-tokens": "24",
    threads: "1",
    batch: "4",
    out: join(folder, out),
    ...more,
  }).flatMap(([flag, value]) => [`--${flag}`, value]),
];

/** Every file that says what was found: the reports, and each arm's rollouts, verdicts and coherence. */
function found(out: string): Record<string, string> {
  const root = join(folder, out);
  const names = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith("judge"))
    .map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    names.map((name) => [name.slice(root.length), readFileSync(name, "utf8")]),
  );
}

/** Runs the command and kills it a moment after it has begun its n-th arm; whether it was killed. */
async function killAtArm(
  command: readonly string[],
  arms: string,
  { n, delayMs }: { n: number; delayMs: number },
): Promise<boolean> {
  const begun = (): number => (existsSync(arms) ? readdirSync(arms).length : 0);
  const { signal } = await runCli(["steer", ...command, "--quiet"], {
    onStart: (child) =>
      void (async () => {
        while (child.exitCode === null && begun() < n) await sleep(2);
        await sleep(delayMs);
        child.kill("SIGKILL");
      })(),
  });
  return signal === "SIGKILL";
}

describe("culprit steer, killed", () => {
  it.each([
    ["add", ADD, {}],
    [
      "project-out",
      { mode: "project-out", "random-directions": "3" },
      { adapter: join(FILES, "adapter") },
    ],
  ])("%s ends in the same bytes, however often it was killed", async (mode, how, model) => {
    const settings = { ...how, ...model, ...RULES };
    await runCommand("steer", words(`whole-${mode}`, settings));
    const whole = found(`whole-${mode}`);
    expect(Object.keys(whole)).toEqual(expect.arrayContaining(["/steering.json", "/request.json"]));
    const out = `killed-${mode}`;
    const arms = join(folder, out, "arms");
    let kills = 0;
    for (const [n, delayMs] of [
      [1, 0],
      [1, 60],
      [2, 10],
      [3, 90],
      [4, 30],
    ] as const) {
      const killed = await killAtArm(words(out, settings), arms, { n, delayMs });
      // Where the last arms took less than the wait before the kill, the run was over before it.
      if (!killed || existsSync(join(folder, out, "steering.json"))) break;
      kills++;
    }
    expect(kills).toBeGreaterThanOrEqual(3);
    await runCommand("steer", words(out, settings));
    expect(found(out)).toEqual(whole);
  });
});

describe("culprit steer --force", () => {
  const LITTLE = { ...RULES, limit: "2", layers: "1", "random-directions": "1", "max-tokens": "8" };
  const add = { ...LITTLE, mode: "add", strength: "1" };
  const steer = (out: string, how: Readonly<Record<string, string>>): Promise<string> =>
    runCommand("steer", [...words(out, how), "--force"]);
  /** When each file was written, in the order of names. */
  const written = (out: string): [string, number][] =>
    Object.keys(found(out))
      .toSorted()
      .map((name) => [name, statSync(join(folder, out, name)).mtimeMs]);

  it("leaves nothing of another request, and no file of anybody else's goes", async () => {
    const out = { ...LITTLE, mode: "project-out", "project-out-at": "own" };
    await steer("fresh", out);
    await steer("other", { ...add, layers: "1,3" });
    expect(found("other")).toHaveProperty("/layers.json");
    writeFileSync(join(folder, "other/notes.txt"), "mine");
    writeFileSync(join(folder, "other/arms/unsteered/notes.txt"), "mine");
    await steer("other", out);
    expect(found("other")).toEqual({
      ...found("fresh"),
      "/notes.txt": "mine",
      "/arms/unsteered/notes.txt": "mine",
    });
  });

  it("killed after its first arm, has lost nothing: the same command goes on, with --force or not", async () => {
    const next = { ...add, layers: "1,3", "random-directions": "3", seed: "1" };
    /** Starts another request over a finished one and kills it after its first arm; whether the kill came before its end. */
    const killOver = async (out: string): Promise<boolean> => {
      await runCommand("steer", words(out, { ...add, seed: "0" }));
      const first = join(folder, out, "arms/unsteered/coherence.json");
      const began = Date.now();
      const hasBegun = (): boolean => existsSync(first) && statSync(first).mtimeMs >= began;
      await runCli(["steer", ...words(out, next), "--force", "--quiet"], {
        onStart: (child) =>
          void (async () => {
            while (child.exitCode === null && !hasBegun()) await sleep(1);
            child.kill("SIGKILL");
          })(),
      });
      return !existsSync(join(folder, out, "steering.json"));
    };
    for (const force of [[], ["--force"]]) {
      let out = "";
      // On a busy machine the run may be over before this process is given its turn to kill it.
      for (let attempt = 0; attempt < 6; attempt++) {
        out = `forced-${force.length}-${attempt}`;
        if (await killOver(out)) break;
      }
      const left = written(out);
      expect(left.map(([name]) => name)).not.toContain("/steering.json");
      const first = left.filter(([name]) => name.startsWith("/arms/unsteered/rollouts"));
      expect(first).toHaveLength(2);
      await runCommand("steer", [...words(out, next), ...force]);
      expect(written(out)).toEqual(expect.arrayContaining(first)); // what was sampled is there still
      if (force.length > 0) continue;
      await runCommand("steer", words("undisturbed", next));
      expect(found(out)).toEqual(found("undisturbed"));
    }
  });

  it("starts a finished one over", async () => {
    await steer("over", add);
    const before = new Map(written("over"));
    await sleep(20);
    await steer("over", add);
    const again = written("over").filter(([name, at]) => at <= before.get(name)!);
    expect(again).toEqual([]);
  });

  it("takes no folder with other things", async () => {
    mkdirSync(join(folder, "thesis"));
    writeFileSync(join(folder, "thesis/thesis.txt"), "mine");
    await expect(steer("thesis", add)).rejects.toThrow(/expected an empty folder.*thesis\.txt/);
  });

  it.each(["0", "much"])("takes no --strength %s", async (strength) => {
    await expect(steer("none", { ...add, strength })).rejects.toThrow(
      `--strength: expected a number above 0 or auto, got "${strength}"`,
    );
  });
});

describe("a stage that steers", () => {
  const command = { ...RULES, mode: "add", layers: "1", strength: "1", "random-directions": "1" };
  const settings = verb.settings.parse({
    mode: "add",
    layers: [1],
    strength: 1,
    randomDirections: 1,
    rollouts: 2,
    sampling: { temperature: 0.7, maxTokens: 24, batch: 4 },
  });

  it("finds what the command finds, in a folder of its own", async () => {
    await runCommand("steer", words("by-command", command));
    const scenarios = join(ORGANISM, "scenarios.evaluation.jsonl");
    const { prompts } = await readRolloutPrompts(scenarios);
    const behavior = join(FILES, "behavior.safetensors");
    const stage = verbStage(verb, {
      kind: "steer",
      settings,
      inputs: {
        prompts: { content: "scenarios", open: () => prompts.slice(0, 8) },
        checkpoint: {
          content: "before",
          open: () => checkpointAt(localHost, join(ORGANISM, "checkpoint"), { threads: 1 }),
        },
        behavior: {
          content: "behavior",
          open: () => openBehaviorToSteer(behavior),
        },
        rules: { content: "rules", open: () => readRuleSet(RULES.rules) },
        rubric: undefined,
      },
    });
    const [done] = await runStages([stage], { out: folder });
    const { record, directory } = done!;
    expect(record.files.map(({ path }) => path)).toEqual([
      "steering/layers.json",
      "steering/steering.json",
    ]);
    expect(record.cost.tokens).toBeGreaterThan(0);
    expect(found(join(directory, "steering"))).toEqual(found("by-command"));
  });

  it("has the bounds of the command", () => {
    const ok = { mode: "add" };
    expect(verb.settings.parse({ ...ok, randomDirections: 1000 }).randomDirections).toBe(1000);
    expect(verb.settings.safeParse({ ...ok, randomDirections: 1001 }).success).toBe(false);
    expect(verb.settings.parse(ok)).toMatchObject({
      rollouts: 10,
      sampling: { temperature: 0.7 },
    });
  });
});

describe("culprit steer --rubric", () => {
  const llm = (url: string): Readonly<Record<string, string>> => ({
    ...ADD,
    rubric: "sycophancy",
    "base-url": url,
    model: "m",
    concurrency: "4",
  });
  const isUnreadable = (text: string): boolean => /\bso\b/u.test(text);
  /** No verdict on responses with "so"; the others show the behaviour where they have "clever". */
  const answer = ({ messages }: AskedBody): string => {
    const text = messages.at(-1)!.content;
    if (isUnreadable(text)) return "Hm.";
    return JSON.stringify({ reason: "r", score: text.includes("clever") ? 90 : 10 });
  };
  const reportOf = (out: string): SteeringReport =>
    JSON.parse(readFileSync(join(folder, out, "steering.json"), "utf8")) as SteeringReport;

  it("says what was asked and paid where a judge that cannot be read ends it", async () => {
    await using server = await startFakeEndpoint({ answer: () => "Hm." });
    const prices = { "price-in": "1000", "price-out": "1000" };
    const args = parseArguments(
      commandNamed("steer"),
      words("llm-broken", { ...llm(server.url), ...prices }),
    );
    const lines: string[] = [];
    const log = (line: string): void => void lines.push(line);
    const run = commandNamed("steer").run(args, { ...silentContext(), log });
    await expect(run).rejects.toThrow(/^judge .*sycophancy/);
    expect(lines.join("\n")).toMatch(
      /requests, \d+ answered[\s\S]*answer tokens: .*the whole cache has cost/,
    );
  });

  it("counts responses that the judge has no verdict on as missing, in no rate", async () => {
    await using server = await startFakeEndpoint({ answer });
    const printed = await runCommand("steer", words("llm", llm(server.url)));
    const report = reportOf("llm");
    const arms = [
      report.unsteered,
      ...report.layers.flatMap(({ grid, random }) => [...grid, ...(random?.directions ?? [])]),
    ];
    let missing = 0;
    for (const arm of arms) {
      const verdicts = await readVerdicts(join(folder, "llm/arms", arm.name, "verdicts.jsonl"));
      for (const { variant, rate, missing: counted, causes } of arm.rates) {
        const own = verdicts.filter((each) => each.variant === variant);
        const without = own.filter((each) => !("label" in each)).length;
        expect(counted).toBe(without);
        expect(rate.judged).toBe(own.length - without);
        expect(Object.values(causes).reduce((sum, each) => sum + each, 0)).toBe(without);
        missing += without;
      }
    }
    expect(missing).toBeGreaterThan(0);
    expect(report.notes).toContain(
      `${missing} verdicts of these arms are missing, and in no rate.`,
    );
    expect(printed).toContain(`${server.counts.answers} answered`);
  });

  it("killed and run again it asks nothing twice, and ends as an undisturbed run", async () => {
    await using server = await startFakeEndpoint({ answer, latencyMs: 15 });
    const out = "llm-killed";
    const killed = await runCli(["steer", ...words(out, llm(server.url)), "--quiet"], {
      onStart: (child) =>
        void (async () => {
          while (child.exitCode === null && server.counts.answers < 40) await sleep(2);
          child.kill("SIGKILL");
        })(),
    });
    expect(killed.signal).toBe("SIGKILL");
    const asked = server.counts.requests;
    expect(existsSync(join(folder, out, "steering.json"))).toBe(false);
    await runCommand("steer", words(out, llm(server.url)));
    const more = [...server.counts.byMessage].map(([text, count]) =>
      // An unreadable answer is asked for three times in all.
      Math.max(0, count - (isUnreadable(text) ? 3 : 1)),
    );
    // Four were under way when the process died, four more may just have been answered.
    expect(more.reduce((sum, each) => sum + each)).toBeLessThanOrEqual(8);
    const { requests } = server.counts;
    await runCommand("steer", words(out, llm(server.url)));
    expect(server.counts.requests).toBe(requests);
    expect(requests).toBeGreaterThan(asked);
    const other = reportOf("llm");
    expect(reportOf(out)).toEqual(other);
  });
});
