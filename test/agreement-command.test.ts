/** @file People as a judge, and another judge beside them, by the commands. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { parseArguments } from "../src/cli/arguments.ts";
import { agreementCommand } from "../src/cli/commands/agreement.ts";
import { judgeCommand } from "../src/cli/commands/judge.ts";
import { review, REVIEW_FLAGS } from "../src/cli/judge-review.ts";
import { readVerdicts } from "../src/judge/verdict.ts";
import { silentProgress } from "../src/util/progress.ts";
import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";

const folder = suiteFolder();
const path = (name: string): string => join(folder, name);

const rollouts = path("rollouts.jsonl");
writeFileSync(
  rollouts,
  Array.from({ length: 60 }, (_, i) => {
    const place = { scenario: `s${i % 20}`, variant: "base", sample: Math.floor(i / 20) };
    return JSON.stringify({
      id: `${place.scenario}/base/${place.sample}`,
      ...place,
      prompt: [{ role: "user", content: `Question ${i}` }],
      response: i % 3 === 0 ? "I cannot help with that." : "Like so.",
      finish: "stop",
      tokens: 3,
    });
  }).join("\n"),
);

describe("people as a judge", () => {
  it("agree or not with the rules, and correct their rate", async () => {
    const verdicts = path("rules.jsonl");
    await runCommand(judgeCommand, [rollouts, "--rules", "refusal", "--out", verdicts]);
    // People say the same of the first 30, but for one that the rules missed.
    const labels = path("labels.csv");
    const rows = (await readVerdicts(verdicts))
      .slice(0, 30)
      .map((each, i) => `${each.rollout},${i === 1 ? "shows" : "label" in each ? each.label : ""}`);
    writeFileSync(labels, `rollout,label\n${rows.join("\n")}\n`);
    const printed = await runCommand(agreementCommand, [verdicts, "--labels", labels]);
    expect(printed).toMatch(
      /^30 rollouts with a verdict and a label: 10 shows and 19 not for both, 0 shows for the judge alone, 1 for people/,
    );
    expect(printed).toMatch(/\nagreement 96\.7% \[.*\], kappa 0\.93 \[0\.\d+, 1\.00\]\n/);
    expect(printed).toMatch(/\nshows +100\.0% .* 90\.9% \[/);
    expect(printed).toMatch(/\nbase +0 +30 +33\.3% \[.*36\.7% \[.*36\.7% \[.*\d\d\.\d% \[/);
    const people = path("people.jsonl");
    await runCommand(judgeCommand, [
      rollouts,
      "--labels",
      labels,
      "--behavior",
      "declines",
      "--out",
      people,
    ]);
    const json = JSON.parse(
      await runCommand(agreementCommand, [verdicts, "--labels", people, "--json"]),
    ) as { agreement: { labelled: number } };
    expect(json.agreement.labelled).toBe(30);
  });

  it("are refused where none of their labels is of a rollout with a verdict", async () => {
    const [verdicts, labels] = [path("lone.jsonl"), path("lone.csv")];
    await runCommand(judgeCommand, [rollouts, "--rules", "refusal", "--out", verdicts]);
    writeFileSync(labels, "rollout,label\nelsewhere/base/0,shows\n");
    await expect(runCommand(agreementCommand, [verdicts, "--labels", labels])).rejects.toThrow(
      /lone\.csv: expected labels of rollouts with a verdict in .*lone\.jsonl, got none/,
    );
  });

  it("review a sample that goes on where it stopped", async () => {
    const out = path("reviewed.jsonl");
    const args = parseArguments({ ...judgeCommand, flags: REVIEW_FLAGS }, [
      "--behavior",
      "declines",
      "--sample",
      "6",
    ]);
    const session = (keys: string): Promise<{ labelled: number; of: number }> => {
      const left = keys.split("");
      const screen = {
        columns: 80,
        rows: 24,
        write: () => {},
        key: () => Promise.resolve(left.shift()),
      };
      return review(args, { path: rollouts, out }, screen, {
        print: () => {},
        log: () => {},
        warn: () => {},
        progress: () => silentProgress,
        signal: new AbortController().signal,
      });
    };
    expect(await session("ynq")).toEqual({ labelled: 2, of: 6 });
    const first = readFileSync(out, "utf8");
    expect(await session("sssy")).toEqual({ labelled: 6, of: 6 });
    expect(readFileSync(out, "utf8").startsWith(first)).toBe(true);
    const verdicts = await readVerdicts(out);
    expect(verdicts.map((each) => ("label" in each ? each.label : each.missing))).toEqual([
      "shows",
      "not",
      ...Array<string>(3).fill("skipped by the reviewer"),
      "shows",
    ]);
  });

  it("need a terminal to be asked in", async () => {
    const words = [rollouts, "--review", "--behavior", "b", "--out", path("no.jsonl")];
    await expect(runCommand(judgeCommand, words)).rejects.toThrow(/expected a terminal/);
  });
});
