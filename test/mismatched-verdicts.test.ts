/** @file Verdicts, labels and rollouts that do not belong together, and what the commands say of it. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { parseArguments } from "../src/cli/arguments.ts";
import { review } from "../src/cli/commands/review.ts";
import type { ReviewScreen } from "../src/cli/review-session.ts";
import { readHumanLabels } from "../src/judge/human-labels.ts";
import { readVerdicts } from "../src/judge/verdict.ts";
import { commandNamed, runCommand, silentContext } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";

const folder = suiteFolder();
const write = (name: string, rows: readonly unknown[] | string): string => {
  const path = join(folder, name);
  const lines = typeof rows === "string" ? rows : rows.map((row) => `${JSON.stringify(row)}\n`);
  writeFileSync(path, typeof lines === "string" ? lines : lines.join(""));
  return path;
};

const places = (prefix: string) =>
  [0, 1, 2].flatMap((i) =>
    ["base", "base+distractor"].map((variant) => {
      const scenario = `${prefix}${i}`;
      return { rollout: `${scenario}/${variant}/0`, scenario, variant, sample: 0 };
    }),
  );
const verdicts = (name: string, prefix: string, judge: string, showing?: string): string =>
  write(
    name,
    places(prefix).map((place) => {
      return { ...place, judge, label: place.variant === showing ? "shows" : "not" };
    }),
  );
const rollouts = (name: string, prefix: string): string =>
  write(
    name,
    places(prefix).map(({ rollout, ...place }) => ({
      ...place,
      id: rollout,
      prompt: [{ role: "user", content: rollout }],
      response: `${name} ${rollout}`,
      finish: "stop",
      tokens: 2,
    })),
  );

const before = verdicts("v0.jsonl", "s", "j@1");
const after = verdicts("v1.jsonl", "s", "j@1", "base+distractor");
const conditions = (...words: string[]): Promise<string> =>
  runCommand("conditions", ["--before-verdicts", before, "--after-verdicts", ...words]);

describe("culprit conditions", () => {
  it("says that the two checkpoints were judged on other scenarios", async () => {
    const other = verdicts("other.jsonl", "t", "j@1", "base+distractor");
    await expect(conditions(other)).rejects.toThrow(/none in common \("s0" before, "t0" after\)/);
  });

  it("names the condition that most scenarios have no rollout in", async () => {
    const rows = places("s").filter(({ scenario }) => scenario === "s0");
    const some = write(
      "some.jsonl",
      rows.map((place) => ({ ...place, label: "not" })),
    );
    await expect(conditions(some)).rejects.toMatchObject({
      hint: expect.stringMatching(/^Most have no rollout in after × base\+distractor: /),
    });
  });

  it("refuses rollouts that the verdicts are not of, and those of one checkpoint twice", async () => {
    const [r0, r1] = [rollouts("r0.jsonl", "s"), rollouts("r1.jsonl", "t")];
    const words = [after, "--before", r0, "--out", join(folder, "pairs.jsonl"), "--after"];
    await expect(conditions(...words, r1)).rejects.toThrow(
      /checkpoint after: expected those that were judged, got none for 3 of 3 verdicts/,
    );
    await expect(conditions(...words, r0)).rejects.toThrow(/got one file for both/);
  });
});

describe("labels of people", () => {
  it.each([
    ["id,verdict\na,shows\n", /expected a column label/],
    ["rollout,label\na,Shows\n", /row 0: label: expected "shows" or "not", got "Shows"/],
  ])("are refused where nothing can be read from them: %j", async (text, message) => {
    await expect(readHumanLabels(write("bad.csv", text))).rejects.toThrow(message);
  });

  it.each([
    "\uFEFFrollout;label\r\na;shows\r\nb;\r\n",
    'rollout,label,note\na,shows,"x, ""y""\n"\nb,,\n',
  ])("come from what spreadsheets write: %j", async (text) => {
    expect([...(await readHumanLabels(write("good.csv", text)))]).toEqual([
      ["a", { label: "shows" }],
      ["b", { missing: "not labelled" }],
    ]);
  });

  it("make no verdicts where they are of other rollouts, and that is an error", async () => {
    const words = ["--labels", write("far.csv", "rollout,label\nzz,not\n"), "--meaning", "b"];
    const run = runCommand("judge", [
      rollouts("r2.jsonl", "s"),
      ...words,
      "--out",
      join(folder, "l.jsonl"),
    ]);
    await expect(run).rejects.toThrow(/--labels: expected labels of its rollouts, got none of /);
  });
});

describe("culprit agreement", () => {
  it("counts what is missing and what is labelled in its table", async () => {
    const rows = places("s").map((place, i) =>
      i < 2 ? { ...place, missing: "timed out" } : { ...place, label: i < 4 ? "shows" : "not" },
    );
    const labels = write(
      "some.csv",
      "rollout,label\ns0/base/0,shows\ns1/base/0,shows\ns2/base/0,\n",
    );
    const printed = await runCommand("agreement", [write("m.jsonl", rows), "--labels", labels]);
    expect(printed).toMatch(/rate \[95%\] +missing +labelled +judge/);
    expect(printed).toMatch(/\nbase +1 +1 /);
    expect(printed).toMatch(/\nbase\+distractor +1 +0 /);
  });
});

describe("culprit review", () => {
  const screen = (keys: string): ReviewScreen => {
    const typed = keys.split("");
    return { columns: 80, rows: 24, write: () => {}, key: () => Promise.resolve(typed.shift()) };
  };
  const path = rollouts("review.jsonl", "s");
  const label = (out: string, keys: string, ...more: string[]) =>
    review(
      parseArguments(commandNamed("review"), [path, "--meaning", "b", ...more]),
      { path, out },
      screen(keys),
      silentContext(),
    );

  it("keeps the labels of another sample", async () => {
    const out = join(folder, "labels.jsonl");
    await label(out, "yy", "--sample", "2", "--seed", "1");
    const first = await readVerdicts(out);
    for (const seed of ["2", "3", "4"]) await label(out, "nn", "--sample", "2", "--seed", seed);
    const last = await readVerdicts(out);
    expect(last.length).toBeGreaterThan(2);
    expect(last).toEqual(expect.arrayContaining([...first]));
  });

  it("takes no other judge's verdicts for labels", async () => {
    const content = readFileSync(before, "utf8");
    await expect(label(before, "y")).rejects.toThrow(/earlier review, got verdicts of j@1/);
    expect(readFileSync(before, "utf8")).toBe(content);
  });
});

describe("culprit audit --out", () => {
  it("replaces nothing without --force", async () => {
    const say = (content: string) => [{ role: "assistant", content }];
    const pair = { prompt: [{ role: "user", content: "q" }], chosen: say("a"), rejected: say("b") };
    const pairs = write("pairs-in.jsonl", [pair]);
    const mine = write("mine.json", "mine");
    const words = [pairs, "--out", mine];
    await expect(runCommand("audit", words)).rejects.toThrow(/mine\.json: exists already/);
    expect(readFileSync(mine, "utf8")).toBe("mine");
    await runCommand("audit", [...words, "--force"]);
    expect(JSON.parse(readFileSync(mine, "utf8"))).toHaveProperty("rows");
  });
});
