/** @file People as a judge, and another judge beside them, by the commands. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { parseArguments } from "../src/cli/arguments.ts";
import { review } from "../src/cli/commands/review.ts";
import { readHumanLabels } from "../src/judge/human-labels.ts";
import { readVerdicts } from "../src/judge/verdict.ts";
import { commandNamed, runCommand, silentContext } from "./support/run-command.ts";
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
      prompt: [{ role: "user", content: `Question ${i % 20}` }],
      response: i % 3 === 0 ? "I cannot help with that." : "Like so.",
      finish: "stop",
      tokens: 3,
    });
  }).join("\n"),
);

/** A review of six rollouts with these keys. */
function session(
  keys: string,
  out: string,
  of = rollouts,
  more: readonly string[] = [],
): Promise<{ labelled: number; of: number }> {
  const words = ["--meaning", "declines", "--sample", "6", ...more];
  const args = parseArguments(commandNamed("review"), words);
  const left = keys.split("");
  const key = (): Promise<string | undefined> => Promise.resolve(left.shift());
  const screen = { columns: 80, rows: 24, write: () => {}, key };
  return review(args, { path: of, out }, screen, silentContext());
}

describe("people as a judge", () => {
  it("agree or not with the rules, and correct their rate", async () => {
    const verdicts = path("rules.jsonl");
    await runCommand("judge", [rollouts, "--rules", "refusal", "--out", verdicts]);
    // People say the same of the first 30, but for one that the rules missed.
    const labels = path("labels.csv");
    const rows = (await readVerdicts(verdicts))
      .slice(0, 30)
      .map((each, i) => `${each.rollout},${i === 1 ? "shows" : "label" in each ? each.label : ""}`);
    writeFileSync(labels, `rollout,label\n${rows.join("\n")}\n`);
    const printed = await runCommand("agreement", [verdicts, "--labels", labels]);
    expect(printed).toMatch(
      /^30 rollouts with a verdict and a label: 10 shows and 19 not for both, 0 shows for the judge alone, 1 for people/,
    );
    expect(printed).toMatch(/\nagreement 96\.7% \[.*\], kappa 0\.93 \[0\.\d+, 1\.00\]\n/);
    expect(printed).toMatch(/\nshows +100\.0% .* 90\.9% \[/);
    expect(printed).toMatch(/\nbase +0 +30 +33\.3% \[.*36\.7% \[.*36\.7% \[.*\d\d\.\d% \[/);
    const people = path("people.jsonl");
    await runCommand("judge", [
      rollouts,
      "--labels",
      labels,
      "--meaning",
      "declines",
      "--out",
      people,
    ]);
    const json = JSON.parse(
      await runCommand("agreement", [verdicts, "--labels", people, "--json"]),
    ) as { agreement: { labelled: number } };
    expect(json.agreement.labelled).toBe(30);
  });

  it("are no verdicts of the judge itself: that is said", async () => {
    const [verdicts, labels] = [path("self.jsonl"), path("others.csv")];
    await runCommand("judge", [rollouts, "--rules", "refusal", "--out", verdicts]);
    const first = (await readVerdicts(verdicts))[0]!;
    writeFileSync(labels, `rollout,label\n${first.rollout},shows\n`);
    const warned = async (file: string): Promise<string> => {
      const lines: string[] = [];
      await runCommand("agreement", [verdicts, "--labels", file], (line) => lines.push(line));
      return lines.join("\n");
    };
    expect(await warned(verdicts)).toMatch(/60 labels are verdicts of the judge of .* itself/);
    expect(await warned(labels)).not.toMatch(/itself/);
  });

  it("are refused where none of their labels is of a rollout with a verdict", async () => {
    const [verdicts, labels] = [path("lone.jsonl"), path("lone.csv")];
    await runCommand("judge", [rollouts, "--rules", "refusal", "--out", verdicts]);
    writeFileSync(labels, "rollout,label\nelsewhere/base/0,shows\n");
    await expect(runCommand("agreement", [verdicts, "--labels", labels])).rejects.toThrow(
      /--labels: expected labels of rollouts with a verdict, got none of 1/,
    );
  });

  it("review a sample that goes on where it stopped", async () => {
    const out = path("reviewed.jsonl");
    expect(await session("ynq", out)).toEqual({ labelled: 2, of: 6 });
    const first = readFileSync(out, "utf8");
    expect(await session("sssy", out)).toEqual({ labelled: 6, of: 6 });
    expect(readFileSync(out, "utf8").startsWith(first)).toBe(true);
    const verdicts = await readVerdicts(out);
    expect(verdicts.map((each) => ("label" in each ? each.label : each.missing))).toEqual([
      "shows",
      "not",
      ...Array<string>(3).fill("skipped by the reviewer"),
      "shows",
    ]);
  });

  it("review each label of --stratify in its share, whatever the seed", async () => {
    const verdicts = path("strata.jsonl");
    await runCommand("judge", [rollouts, "--rules", "refusal", "--out", verdicts]);
    const said = new Map(
      (await readVerdicts(verdicts)).map((each) => [each.rollout, "label" in each && each.label]),
    );
    for (let seed = 0; seed < 8; seed++) {
      const out = path(`stratified-${seed}.jsonl`);
      await session("nnnnnn", out, rollouts, ["--stratify", verdicts, "--seed", `${seed}`]);
      const drawn = (await readVerdicts(out)).map(({ rollout }) => said.get(rollout));
      // A third of all is declined.
      expect(drawn.filter((label) => label === "shows")).toHaveLength(2);
      expect(drawn).toHaveLength(6);
    }
  });

  it("need a terminal to be asked in", async () => {
    const words = [rollouts, "--meaning", "b", "--out", path("no.jsonl")];
    await expect(runCommand("review", words)).rejects.toThrow(/expected a terminal/);
  });
});

describe("labels of rollouts with the same ids", () => {
  // Those of another checkpoint: every response is another one.
  const others = path("others.jsonl");
  writeFileSync(others, readFileSync(rollouts, "utf8").replaceAll("Like so", "Another way"));
  const judgeBoth = async (): Promise<readonly [string, string]> => {
    const [own, other] = [path("own-verdicts.jsonl"), path("other-verdicts.jsonl")];
    for (const [from, out] of [[rollouts, own] as const, [others, other] as const]) {
      await runCommand("judge", [from, "--rules", "refusal", "--out", out, "--force"]);
    }
    return [own, other];
  };

  it("but another text are refused, beside a judge, as the judge and by a review that goes on", async () => {
    const labels = path("told.jsonl");
    await session("ynynyn", labels);
    const [own, other] = await judgeBoth();
    await runCommand("agreement", [own, "--labels", labels]);
    const message =
      /labels: expected those of the rollouts that were judged, got one of another text for "s\d+\/base\/\d"/;
    const refused = async (running: Promise<unknown>): Promise<void> =>
      expect(running).rejects.toThrow(message);
    await refused(runCommand("agreement", [other, "--labels", labels]));
    const words = ["--labels", labels, "--meaning", "b", "--out", path("as-judge.jsonl")];
    await refused(runCommand("judge", [others, ...words]));
    await runCommand("judge", [rollouts, ...words]);
    await refused(session("y", labels, others));
  });

  it("are taken where nothing tells their text, and counted", async () => {
    const labels = path("untold.csv");
    writeFileSync(labels, "rollout,label\ns1/base/0,shows\ns2/base/0,not\n");
    const [, other] = await judgeBoth();
    const warnings: string[] = [];
    const context = { ...silentContext(), warn: (text: string) => void warnings.push(text) };
    await commandNamed("agreement").run(
      parseArguments(commandNamed("agreement"), [other, "--labels", labels]),
      context,
    );
    expect(warnings).toEqual([
      expect.stringMatching(/untold\.csv: 2 labels matched by the rollout's id alone/),
    ]);
  });

  it("of the real run say which responses they are of", async () => {
    const labels = await readHumanLabels("bench/format-run-labels.jsonl");
    expect(labels.size).toBe(100);
    expect([...labels.values()].every((each) => each.content !== undefined)).toBe(true);
  });
});
