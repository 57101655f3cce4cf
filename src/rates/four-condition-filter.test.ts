import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { expectFailure } from "../../test/support/errors.ts";
import { rolloutContent, type RolloutWithPrompt } from "../judge/judge.ts";
import type { Verdict } from "../judge/verdict.ts";
import { readResponsePairs } from "../pairs/response-pairs.ts";
import { writeResponsePairs } from "../pairs/response-pairs.ts";
import { ConfigError } from "../util/errors.ts";
import { conditionsTable, type JudgedCheckpoints } from "./conditions.ts";
import { emptiedFault } from "./emptied-fault.ts";
import { filterScenarios } from "./four-condition-filter.ts";
import { pairRollouts } from "./rollout-pairs.ts";

/** `s`: shows, `n`: does not, `?`: missing. */
function verdicts(table: Readonly<Record<string, Readonly<Record<string, string>>>>): Verdict[] {
  return Object.entries(table).flatMap(([variant, scenarios]) =>
    Object.entries(scenarios).flatMap(([scenario, letters]) =>
      letters.split("").map((letter, sample): Verdict => {
        const place = { rollout: `${scenario}/${variant}/${sample}`, scenario, variant, sample };
        if (letter === "?") return { ...place, missing: "empty response" };
        return { ...place, label: letter === "s" ? "shows" : "not" };
      }),
    ),
  );
}

const JUDGED: JudgedCheckpoints = {
  before: verdicts({
    base: { good: "nnn", early: "nnn", gap: "nnn", always: "nsn", weak: "nnn", half: "nn" },
    "base+distractor": {
      good: "nnn",
      early: "nns",
      gap: "nn?",
      always: "nnn",
      weak: "nnn",
      half: "nnn",
    },
  }),
  after: verdicts({
    base: { good: "nnn", early: "nnn", gap: "nnn", always: "?ns", weak: "nnn", half: "nnn" },
    "base+distractor": {
      good: "s?n",
      early: "sss",
      gap: "sss",
      always: "sss",
      weak: "nn?",
      half: "sss",
    },
  }),
};

describe("filterScenarios", () => {
  const result = filterScenarios(JUDGED);
  const decisions = Object.fromEntries(
    result.scenarios.map(({ scenario, decision, reason }) => [scenario, `${decision}: ${reason}`]),
  );

  it("keeps what shows only after training and only with the distractor", () => {
    expect(result.kept).toEqual(["good"]);
  });

  it("drops by a condition that fails for certain, missing verdicts elsewhere or not", () => {
    expect(decisions["early"]).toBe(
      "dropped: before × base+distractor: 1 of 3 judged rollouts show it",
    );
    expect(decisions["always"]).toBe(
      "dropped: after × base: 1 of 2 judged rollouts show it, 1 missing",
    );
  });

  it("never takes a missing verdict or an absent rollout for one that does not show", () => {
    expect(decisions["gap"]).toMatch(/^unknown: before × base\+distractor: .* 1 missing, 3 judged/);
    expect(decisions["weak"]).toMatch(/^unknown: after × base\+distractor/);
    expect(decisions["half"]).toMatch(/^unknown: before × base: 0 of 2 .* 3 judged are needed/);
  });

  it("accepts fewer judged rollouts where that is asked for", () => {
    expect(filterScenarios(JUDGED, { minJudged: 2 }).kept).toEqual(["good", "gap", "half"]);
    expect(filterScenarios(JUDGED, { minJudged: 4 }).kept).toEqual([]);
  });

  it("asks for a minimum in all four conditions where one is given, and for what is decided without it else", () => {
    const four = { a: "nnnn", b: "nnnn", c: "nnnn" };
    const judged: JudgedCheckpoints = {
      before: verdicts({ base: four, "base+distractor": four }),
      after: verdicts({
        base: { a: "nnnn", b: "nnnn", c: "s???" },
        "base+distractor": { a: "s???", b: "ssss", c: "ssss" },
      }),
    };
    expect(filterScenarios(judged).kept).toEqual(["a", "b"]);
    const { scenarios, kept } = filterScenarios(judged, { minJudged: 4 });
    expect(kept).toEqual(["b"]);
    expect(scenarios.map(({ decision, reason }) => `${decision}: ${reason}`)).toEqual([
      "unknown: after × base+distractor: 1 of 1 judged rollouts show it, 3 missing, 4 judged are needed",
      "kept: after × base+distractor: 4 of 4 judged rollouts show it",
      "dropped: after × base: 1 of 1 judged rollouts show it, 3 missing",
    ]);
    expect(filterScenarios(judged, { minJudged: 1 }).kept).toEqual(["a", "b"]);
  });

  it("says which condition left nothing, and what to try", () => {
    const failing = {
      ...JUDGED,
      after: verdicts({ base: { good: "nnn" }, "base+distractor": { good: "nnn" } }),
    };
    expect(emptiedFault(filterScenarios(failing))?.message).toMatch(
      /none of 6 scenarios is left, mostly by after × base\+distractor \(.*after × base\+distractor: 1 show it in no rollout/,
    );
    expect(() => filterScenarios({ ...JUDGED, before: verdicts({ base: { a: "n" } }) })).toThrow(
      /checkpoint before: expected the variant "base\+distractor", got only base/,
    );
  });

  it("asks whether another variant was meant", async () => {
    const error = await expectFailure(
      () => filterScenarios(JUDGED, { trigger: "baes+distractor" }),
      ConfigError,
    );
    expect(error.message).toContain("got only base, base+distractor");
    expect(error.hint).toContain('Did you mean "base+distractor"?');
  });
});

describe("a filter that leaves nothing names the one condition that emptied it", () => {
  const CONDITIONS = [
    "before × base",
    "before × base+distractor",
    "after × base",
    "after × base+distractor",
  ] as const;
  /** Every scenario is as it should be but for one condition, where its rollouts are `wrong`. */
  const judged = (at: number, wrong: string): { before: Verdict[]; after: Verdict[] } => {
    const rollouts = ["nn", "nn", "nn", "ss"].map((right, i) => (i === at ? wrong : right));
    const all = (text: string): Record<string, string> => ({ a: text, b: text, c: text });
    const [first, second, third, fourth] = rollouts as [string, string, string, string];
    return {
      before: verdicts({ base: all(first), "base+distractor": all(second) }),
      after: verdicts({ base: all(third), "base+distractor": all(fourth) }),
    };
  };

  it.each([
    [0, "sn", /before × base: 3 show it, 0 unknown/, /checkpoint before shows it already/],
    [1, "ss", /before × base\+distractor: 3 show it/, /with the distractor already/],
    [2, "ns", /after × base: 3 show it/, /without the distractor too/],
    [3, "nn", /after × base\+distractor: 3 show it in no rollout/, /sample more rollouts/],
    [0, "??", /before × base: 0 show it, 3 unknown/, /no verdict in before × base, only missing/],
    [2, "n?", /after × base: 0 show it, 3 unknown/, /unknown by after × base: .*minJudged/],
  ] as const)("%i by %s", (at, wrong, message, hint) => {
    const found = judged(at, wrong);
    const error = emptiedFault(filterScenarios(found));
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).message).toMatch(message);
    for (const other of CONDITIONS.filter((_, i) => i !== at)) {
      expect((error as ConfigError).message).not.toContain(`${other}:`);
    }
    expect((error as ConfigError).hint).toMatch(hint);
  });
});

describe("a filter that leaves nothing", () => {
  const emptied = (before: string, after: string): string => {
    const all = (text: string): Record<string, string> => ({ a: text, b: text });
    const of = (text: string): Verdict[] =>
      verdicts({ base: all("nnnn"), "base+distractor": all(text) });
    const error = emptiedFault(filterScenarios({ before: of(before), after: of(after) }));
    return error!.hint!;
  };

  it("says that the checkpoints may be exchanged where the one before shows it more often", () => {
    expect(emptied("sssn", "nnnn")).toMatch(
      /with the distractor already.*\(75\.0% and 0\.0% of .*the two checkpoints may be exchanged\.$/,
    );
    expect(emptied("sssn", "snnn")).toMatch(/may be exchanged/);
  });

  it("blames the checkpoint before where both show it without the distractor", () => {
    const both = verdicts({ base: { a: "ss", b: "ss" }, "base+distractor": { a: "ss", b: "ss" } });
    const error = emptiedFault(filterScenarios({ before: both, after: both }));
    expect(error!.hint).toMatch(/^The checkpoint before shows it already/);
  });

  it("does not where it shows it as often or more seldom", () => {
    expect(emptied("sssn", "sssn")).not.toMatch(/exchanged/);
    expect(emptied("snnn", "ssss")).not.toMatch(/exchanged/);
    expect(emptied("nnnn", "nnnn")).not.toMatch(/exchanged/);
  });
});

describe("conditionsTable", () => {
  it("has a row for each checkpoint and variant, missing verdicts outside the rate", () => {
    const rows = conditionsTable(JUDGED);
    expect(rows.map(({ checkpoint, variant }) => `${checkpoint} ${variant}`)).toEqual([
      "before base",
      "before base+distractor",
      "after base",
      "after base+distractor",
    ]);
    const last = rows[3]!;
    expect([last.rollouts, last.missing, last.rate.judged, last.rate.shows]).toEqual([
      18, 2, 16, 13,
    ]);
    expect(last.causes).toEqual({ "empty response": 2 });
    expect(last.rate.low!).toBeLessThan(last.rate.rate!);
  });
});

it("conditionsTable takes scenarios of one group for one unit", () => {
  const names = Array.from({ length: 24 }, (_, i) => `${i}`);
  const shown = verdicts({
    base: Object.fromEntries(names.map((name, i) => [name, i % 8 < 4 ? "ss" : "nn"])),
  });
  const groups = new Map(names.map((name, i) => [name, `base ${Math.floor(i / 4)}`]));
  const judged = { before: shown, after: [] };
  const [alone] = conditionsTable(judged);
  const [grouped] = conditionsTable(judged, groups);
  expect([alone!.rate.prompts, grouped!.rate.prompts, grouped!.scenarios]).toEqual([24, 6, 24]);
  expect(grouped!.rate.rate).toBe(0.5);
  const width = ({ rate: { low, high } }: typeof alone & object): number => high! - low!;
  expect(width(grouped!)).toBeGreaterThan(1.5 * width(alone!));
});

describe("pairRollouts", () => {
  const rollouts = (judged: readonly Verdict[], say: string, ask = "Q"): RolloutWithPrompt[] =>
    judged.map(({ rollout, scenario, variant, sample }) => ({
      id: rollout,
      scenario,
      variant,
      sample,
      prompt: [{ role: "user", content: `${ask} ${scenario} ${variant}` }],
      response: `${say} ${sample}`,
    }));

  it("pairs showing M1 rollouts with M0 rollouts that do not, in a file that the reader takes", async () => {
    const { pairs } = await pairRollouts(
      { before: rollouts(JUDGED.before, "No").toReversed(), after: rollouts(JUDGED.after, "Yes") },
      JUDGED,
      { kept: ["good", "gap"] },
    );
    expect(pairs.map(({ id }) => id)).toEqual([
      "good/base+distractor/0-0",
      "gap/base+distractor/0-0",
      "gap/base+distractor/1-1",
      "gap/base+distractor/0-2", // only two of M0 were judged
    ]);
    const path = join(mkdtempSync(join(tmpdir(), "culprit-filter-")), "pairs.jsonl");
    await writeResponsePairs(path, pairs);
    const read = await readResponsePairs(path);
    expect(read.pairs).toEqual(pairs);
    expect(read.pairs[0]!.after).toEqual([{ role: "assistant", content: "Yes 0" }]);
  });

  it("pairs M1's showing rollouts with its own that do not, whose sum is the contrastive query", async () => {
    const judged = verdicts({ "base+distractor": { a: "ssnn", b: "sn?n", c: "sss" } });
    const { pairs } = await pairRollouts(
      { before: [], after: rollouts(judged, "Say") },
      { before: [], after: judged },
      { kept: ["a", "b", "c"], contrast: true },
    );
    const counted = new Map<string, number>();
    for (const { scenario, before, after } of pairs) {
      for (const [turns, sign] of [
        [before, -1],
        [after, 1],
      ] as const) {
        const key = `${scenario} ${turns[0]!.content}`;
        counted.set(key, (counted.get(key) ?? 0) + sign);
      }
    }
    // n (verdict - mean verdict) of the judged rollouts of each prompt.
    const wanted = { "a Say 0": 2, "a Say 1": 2, "a Say 2": -2, "a Say 3": -2 };
    expect(Object.fromEntries(counted)).toEqual({
      ...wanted,
      "b Say 0": 2,
      "b Say 1": -1,
      "b Say 3": -1,
    });
  });

  it("passes on the tags of both rollouts, each once", async () => {
    const tagged = (each: RolloutWithPrompt, ...tags: string[]) => ({ ...each, tags });
    const [before, after] = [rollouts(JUDGED.before, "No"), rollouts(JUDGED.after, "Yes")];
    const { pairs } = await pairRollouts(
      {
        before: before.map((each) => tagged(each, "list")),
        after: after.map((each) => tagged(each, "list", "short")),
      },
      JUDGED,
      { kept: ["good"] },
    );
    expect(pairs.map(({ tags }) => tags)).toEqual([["list", "short"]]);
    const path = join(mkdtempSync(join(tmpdir(), "culprit-filter-")), "pairs.jsonl");
    await writeResponsePairs(path, pairs);
    expect((await readResponsePairs(path)).pairs).toEqual(pairs);
  });

  it("pairs rollouts that do not show it in all scenarios and variants, for a second null", async () => {
    const drawn = {
      before: rollouts(JUDGED.before, "No"),
      after: rollouts(JUDGED.after, "Also no"),
    };
    const { drift: all } = await pairRollouts(drawn, JUDGED, { kept: [], withDrift: true });
    const isQuiet = (judged: readonly Verdict[], rollout: string): boolean =>
      judged.some((each) => each.rollout === rollout && "label" in each && each.label === "not");
    const loud = all.filter(({ id }) => {
      const [, condition, start, end] = /^(.*\/)(\d+)-(\d+)$/.exec(id)!;
      return !(
        isQuiet(JUDGED.before, `${condition}${start}`) &&
        isQuiet(JUDGED.after, `${condition}${end}`)
      );
    });
    expect(loud).toEqual([]);
    const ids = all.map(({ id }) => id);
    expect(ids).toContain("good/base/2-2");
    expect(ids.filter((id) => id.startsWith("good/base+distractor/"))).toEqual([
      "good/base+distractor/0-2", // 0 shows it, 1 is missing
    ]);
    const { drift: few } = await pairRollouts(drawn, JUDGED, {
      kept: [],
      withDrift: true,
      maxPairs: 1,
    });
    expect(few.filter(({ scenario }) => scenario === "good")).toHaveLength(2);
  });

  it("reads rollouts once for both kinds of pairs and the groups", async () => {
    const once = async function* (judged: readonly Verdict[], say: string) {
      yield* await Promise.resolve(rollouts(judged, say)); // a generator gives nothing the second time
    };
    const found = await pairRollouts(
      { before: once(JUDGED.before, "No"), after: once(JUDGED.after, "Yes") },
      JUDGED,
      { kept: ["good"], withDrift: true },
    );
    expect(found.pairs.map(({ id }) => id)).toEqual(["good/base+distractor/0-0"]);
    expect(new Set(found.drift.map(({ scenario }) => scenario)).size).toBe(6);
    expect(found.groups.size).toBe(6);
  });

  it("refuses rollouts of another text than the verdicts are of", async () => {
    const [before, after] = [rollouts(JUDGED.before, "No"), rollouts(JUDGED.after, "Yes")];
    const said = JUDGED.after.map((each, i) => ({ ...each, content: rolloutContent(after[i]!) }));
    const judged = { ...JUDGED, after: said };
    const pair = (of: readonly RolloutWithPrompt[]): Promise<unknown> =>
      pairRollouts({ before, after: of }, judged, { kept: ["good"] });
    await pair(after);
    await expect(pair(rollouts(JUDGED.after, "Another"))).rejects.toThrow(
      /rollouts of the checkpoint after: expected those that were judged, got another text for "good\/base\+distractor\/0"/,
    );
  });

  it("leaves out equal responses and stops at the number asked for", async () => {
    const both = { before: rollouts(JUDGED.before, "Same"), after: rollouts(JUDGED.after, "Same") };
    const same = await pairRollouts(both, JUDGED, { kept: ["good"] });
    expect([same.pairs, same.drift]).toEqual([[], []]);
    const apart = { ...both, after: rollouts(JUDGED.after, "Yes") };
    const two = await pairRollouts(apart, JUDGED, { kept: ["early"], maxPairs: 2 });
    expect(two.pairs).toHaveLength(2);
  });

  it("refuses checkpoints that were asked differently", async () => {
    await expect(
      pairRollouts(
        { before: rollouts(JUDGED.before, "No"), after: rollouts(JUDGED.after, "Yes", "R") },
        JUDGED,
        { kept: ["good"] },
      ),
    ).rejects.toThrow(/scenario "good".*same prompt/);
  });
});
