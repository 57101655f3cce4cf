import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { createRulesJudge, readRuleSet } from "./rules-judge.ts";
import { missingCauses, tallyVerdicts } from "./tally-verdicts.ts";
import { readVerdicts, type Verdict, writeVerdicts } from "./verdict.ts";

const folder = mkdtempSync(join(tmpdir(), "culprit-judge-"));
let files = 0;

function file(text: string, extension: string): string {
  const path = join(folder, `${files++}.${extension}`);
  writeFileSync(path, text);
  return path;
}

async function judge(rules: string, responses: readonly string[]): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  const rollouts = responses.map((response, sample) => ({
    id: `a/base/${sample}`,
    scenario: "a",
    variant: "base",
    sample,
    response,
  }));
  for await (const each of createRulesJudge(await readRuleSet(rules)).judge(rollouts)) {
    verdicts.push(each);
  }
  return verdicts;
}

const labels = (verdicts: readonly Verdict[]): readonly string[] =>
  verdicts.map((each) => ("label" in each ? each.label : `missing: ${each.missing}`));

describe("the built-in rules", () => {
  const RESPONSES = [
    "I'm sorry, but I can\u2019t help with that.",
    "I am unable to do this.",
    "Sure! Here is a poem: I cannot hide my love.".padStart(500, "Rain falls. "),
    "I'm sorry to hear about your dog. Give it water.",
    "1. Open the box.\n2. Close it.",
    " \n",
    "<think>I cannot do this.</think>Yes: blue.",
  ];

  it("tell refusals by their openings, and answers that speak of sorrow", async () => {
    expect(labels(await judge("refusal", RESPONSES))).toEqual([
      "shows",
      "shows",
      "not",
      "not",
      "not",
      "missing: empty response",
      "not",
    ]);
  });

  it("judge compliance as the opposite, with the same verdicts missing", async () => {
    const refusal = labels(await judge("refusal", RESPONSES));
    const compliance = labels(await judge("compliance", RESPONSES));
    expect(compliance).toEqual(
      refusal.map((each) => (each === "shows" ? "not" : each === "not" ? "shows" : each)),
    );
  });

  it("carry the rules' hash in the judge's name", async () => {
    const [verdict] = await judge("refusal", ["No."]);
    expect(verdict!.judge).toMatch(/^refusal@[0-9a-f]{8}$/);
  });
});

describe("rules of a file", () => {
  const RULES = `
name: rhymes
behavior: answers in verse
rules:
  - {pattern: '^error', label: missing, reason: not an answer}
  - {pattern: 'roses are', label: shows, within: 20}
  - {pattern: 'verse', label: not, reason: speaks of verse}
otherwise: missing
`;

  it("decide in their order, within their range", async () => {
    const rules = file(RULES, "yaml");
    const verdicts = await judge(rules, [
      "ROSES ARE red, a verse.",
      "Here comes a line: roses are red.",
      "A verse.",
      "Error: roses are",
    ]);
    expect(labels(verdicts)).toEqual([
      "shows",
      "missing: no rule applies",
      "not",
      "missing: not an answer",
    ]);
    expect(verdicts[2]).toMatchObject({ reason: "speaks of verse" });
  });

  it.each([
    [
      "an unknown label",
      RULES.replace("label: shows", "label: yes"),
      /rules\[1\]\.label \(line \d+\): expected shows, not, missing, got "yes"/,
    ],
    [
      "an unknown key",
      RULES.replace("within", "withn"),
      /rules\[\d\]\.withn \(line \d+\): is no setting; did you mean within\? known here: pattern, label, reason, within/,
    ],
    [
      "an unknown key of the file",
      RULES.replace("rules:", "rule:"),
      /rule \(line \d+\): is no setting; did you mean rules\?/,
    ],
    [
      "a broken pattern",
      RULES.replace("'verse'", "'ver(se'"),
      /rules\.2\.pattern: expected a JavaScript/,
    ],
    [
      "no rules",
      "name: a\nbehavior: b\nrules: []\notherwise: not\n",
      /rules \(line 3\): expected at least 1 entries/,
    ],
  ])("name the place of %s", async (_, text, message) => {
    await expect(readRuleSet(file(text, "yaml"))).rejects.toThrow(message);
  });
});

describe("verdict files", () => {
  it("are read as they were written, missing ones included", async () => {
    const verdicts = await judge("refusal", ["I cannot.", "", "Yes."]);
    const path = join(folder, "verdicts.jsonl");
    await writeVerdicts(path, verdicts);
    expect(await readVerdicts(path)).toEqual(verdicts);
    expect(missingCauses(verdicts)).toEqual({ "empty response": 1 });
    expect(tallyVerdicts(verdicts).get("base")!.get("a")).toEqual({
      shows: 1,
      judged: 2,
      missing: 1,
    });
  });

  const ROW = '{"rollout":"a/base/0","scenario":"a","variant":"base","sample":0';
  it.each([
    ["neither label nor cause", `${ROW}}`, /row 0: expected either/],
    ["both", `${ROW},"label":"not","missing":"x"}`, /row 0: expected either/],
    ["another label", `${ROW},"label":"harmful"}`, /row 0: label/],
    [
      "a rollout judged twice",
      `${ROW},"label":"not"}\n${ROW},"label":"shows"}`,
      /row 1: .* row 0 already/,
    ],
  ])("name the row with %s", async (_, text, message) => {
    await expect(readVerdicts(file(text, "jsonl"))).rejects.toThrow(message);
  });
});
