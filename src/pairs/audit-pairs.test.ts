import { describe, expect, it } from "vitest";

import { jsonLines, temporaryFile } from "../../test/support/data-files.ts";
import { type AuditOptions, auditPairs } from "./audit-pairs.ts";
import type { AuditReport } from "./audit-report.ts";
import { openPairs } from "./open-pairs.ts";

async function audit(rows: readonly unknown[], options?: AuditOptions): Promise<AuditReport> {
  return auditPairs(await openPairs([await temporaryFile("x.jsonl", jsonLines(rows))]), options);
}

const row = (prompt: string, chosen: string, rejected: string, more: object = {}): object => ({
  prompt,
  chosen,
  rejected,
  ...more,
});
/** `count` rows whose contents all differ. */
const many = (count: number, make: (i: number) => object): object[] =>
  Array.from({ length: count }, (_, i) => make(i));

describe("auditPairs", () => {
  it("counts rows, unusable rows by reason, and hands those on", async () => {
    const seen: number[] = [];
    const report = await audit(
      [row("q", "a", "b"), row("q", "a", "a"), row("q", "c", "d"), row("q", "", "d")],
      {
        onUnusable: async (each) => void seen.push(each.row),
      },
    );
    expect(report).toMatchObject({
      rows: 4,
      usable: 2,
      unusable: { count: 2, byReason: { "identical-sides": 1, "empty-side": 1 } },
    });
    expect(seen).toEqual([1, 3]);
    expect(report.unusableExamples.map((each) => each.fileRow)).toEqual([1, 3]);
  });

  it("counts equal scores and those the other way round, and says so", async () => {
    const scores = [
      [2, 1],
      [1, 1],
      [1, 2],
      [3, 0.5],
    ];
    const { scores: found, warnings } = await audit(
      many(4, (i) =>
        row(`q${i}`, "a", "b", { score_chosen: scores[i]![0], score_rejected: scores[i]![1] }),
      ),
    );
    const columns = { chosen: "score_chosen", rejected: "score_rejected" };
    expect(found).toEqual([{ ...columns, pairs: 4, ties: 1, lower: 1 }]);
    expect(warnings.join()).toMatch(/equal in 1 of 4 pairs \(25\.0%\)/);
    expect(
      (await audit([row("q", "a", "b", { chosen_rank: "x", rejected_rank: 1 })])).scores,
    ).toEqual([]);
  });

  it("names what rows say beside roles and texts, and columns that nothing reads", async () => {
    const turns = (content: string, more = {}): object[] => [
      { role: "assistant", content, ...more },
    ];
    const { beside, tokens, warnings } = await audit([
      {
        prompt: [{ role: "user", content: "q" }],
        chosen: turns("a", { thinking: "Hm.", weight: 1 }),
        rejected: turns("b"),
        chat_template_kwargs: { enable_thinking: true },
        prose: "x".repeat(200),
      },
    ]);
    expect(beside).toEqual({
      said: ["thinking", "enable_thinking"].map((name) => ({ name, pairs: 1 })),
      labels: [{ name: "weight", pairs: 1 }],
      columnsNotRead: ["prose"],
    });
    expect(tokens).toBeUndefined();
    expect(warnings.join()).toContain("thinking 1, enable_thinking 1 pairs");
  });

  it("finds the generators inside other columns and under misspelt names", async () => {
    const nested = (i: number): object => ({
      other_info: { chosen_model: `m${i % 2}`, rejected_model: "n" },
    });
    const misspelt = (i: number): object => ({ chonsen_model: `m${i % 2}`, rejected_model: "n" });
    for (const make of [nested, misspelt]) {
      const { generators, columns } = await audit(many(4, (i) => row(`q${i}`, "a", "b", make(i))));
      expect(
        generators.map(({ generator, chosen, rejected }) => [generator, chosen, rejected]),
      ).toEqual([
        ["n", 0, 4],
        ["m0", 2, 0],
        ["m1", 2, 0],
      ]);
      expect(columns).toEqual(["chosen_model", "rejected_model"]);
    }
  });

  it("says first that a file was cut off", async () => {
    const rows = JSON.stringify(many(3, (i) => row(`q${i}`, "a", "b")));
    const path = await temporaryFile("cut.json", rows.slice(0, -20));
    const report = await auditPairs(await openPairs([path]));
    expect(report).toMatchObject({ usable: 2, unusable: { byReason: { "cut-off": 1 } } });
    expect(report.warnings[0]).toMatch(
      /^1 file ends in the middle of a row: cut off, and all rows behind are lost/,
    );
  });

  it("compares lengths with mean, median, 90% quantile and the share where the longer wins", async () => {
    // chosen 1 2 3 4 5, rejected 2 2 2 2 2 characters: longer wins 3, shorter 1, tie 1.
    const rows = many(5, (i) => row(`q${i}`, "x".repeat(i + 1), "yy"));
    const [characters, words] = (await audit(rows)).lengths;
    expect(characters).toMatchObject({
      unit: "characters",
      pairs: 5,
      chosen: { mean: 3, median: 3, p90: 4.6 },
      rejected: { mean: 2, median: 2, p90: 2 },
      longerChosen: { count: 3, of: 4, share: 0.75 },
      ties: 1,
    });
    expect(words).toMatchObject({ unit: "words", ties: 5, longerChosen: { of: 0 } });
  });

  it("counts tokens and truncation with the counter given, and what it refuses", async () => {
    const counts = [
      { prompt: 8, chosen: 1, rejected: 1 },
      { prompt: 4, chosen: 5, rejected: 1 },
      { prompt: 4, chosen: 4, rejected: 3 },
      { refusal: "no system turn" },
    ];
    const report = await audit(
      many(4, (i) => row(`q${i}`, "a", "b")),
      {
        maxTokens: 8,
        countTokens: (pair) => counts[pair.row]!,
      },
    );
    expect(report.lengths[2]).toMatchObject({
      unit: "tokens",
      pairs: 3,
      longerChosen: { count: 2, of: 2 },
      ties: 1,
    });
    expect(report.truncation).toMatchObject({
      maxTokens: 8,
      basis: "tokens",
      promptTooLong: { count: 1, of: 3 },
      responseCut: { count: 1, of: 3 },
    });
    expect(report.unrenderable).toBe(1);
    expect(report.refusals).toEqual([{ name: "no system turn", pairs: 1 }]);
    expect(report.warnings.join("\n")).toMatch(
      /template refuses 1 of 4 pairs; they cannot be embedded. It says: no system turn \(1 pairs\)/,
    );
  });

  it("estimates truncation from characters where there is no tokenizer, and says so", async () => {
    const report = await audit([row("q".repeat(40), "a", "b"), row("q", "a".repeat(41), "b")], {
      maxTokens: 10,
    });
    expect(report.truncation).toMatchObject({
      basis: "estimate",
      promptTooLong: { count: 1 },
      responseCut: { count: 1 },
    });
    expect(report.warnings.join("\n")).toMatch(/an estimated 1 prompts/);
    expect((await audit([row("q", "a", "b")])).truncation).toBeUndefined();
  });

  it("finds repeated pairs, shared prompts and contradictory labels with their rows", async () => {
    const report = await audit([
      row("q", "a", "b"),
      row("q", "a", "b"),
      row("q", "b", "a"),
      row("q", "a", "c"),
      row("other", "b", "a"),
      row("other", "a", "b"),
      row("alone", "a", "b"),
    ]);
    expect(report.duplicates).toEqual({
      repeatedPairs: 1,
      repeatedIds: 0,
      sharedPromptRows: 6,
      sharedPrompts: 2,
      contradictions: 2,
      contradictoryRows: 5,
      contradictionExamples: [
        [0, 1, 2],
        [4, 5],
      ],
    });
    expect(report.warnings.join("\n")).toMatch(/contradictory labels .*5 rows/);
  });

  it("names both sides of a contradiction that many rows repeat", async () => {
    const report = await audit([...many(20, () => row("q", "a", "b")), row("q", "b", "a")]);
    const [example] = report.duplicates.contradictionExamples;
    expect(example!.length).toBeLessThanOrEqual(4);
    expect(example).toContain(20);
    expect(example).toContain(0);
  });

  it("tells near-identical sides by their words", async () => {
    const text = Array.from({ length: 40 }, (_, i) => `word${i}`).join(" ");
    const report = await audit([
      row("q1", text, `${text}.`),
      row("q2", text, text.replace("word7", "other")),
      row("q3", text, text.replace(/word[1-5] /g, "other ")),
    ]);
    expect(report.nearIdentical).toEqual({ threshold: 0.95, pairs: 2, examples: [0, 1] });
  });

  it("groups by source and warns of one whose longer side always wins", async () => {
    const rows = [
      ...many(40, (i) => row(`l${i}`, "long answer", "short", { source: "length" })),
      ...many(40, (i) => row(`f${i}`, i % 2 ? "aa" : "a", i % 2 ? "a" : "aa", { source: "fair" })),
      row("x", "a", "bb", { source: null }),
    ];
    const report = await audit(rows);
    expect(report.sources.map(({ source, pairs }) => [source, pairs])).toEqual([
      ["length", 40],
      ["fair", 40],
      [null, 1],
    ]);
    expect(report.sources[0]!.lengths.longerChosen).toMatchObject({ count: 40, of: 40, share: 1 });
    expect(report.sources[1]!.lengths.longerChosen).toMatchObject({ count: 20, of: 40 });
    const warnings = report.warnings.join("\n");
    expect(warnings).toMatch(
      /Source "length": the longer response is chosen in 100.0% \[91\.\d%, 100.0%\] of 40/,
    );
    expect(warnings).not.toMatch(/Source "fair"/);
    expect(warnings).toMatch(/1 pairs have no source/);
  });

  it("warns of length over all pairs, in tokens where they were counted", async () => {
    const rows = many(40, (i) => row(`q${i}`, "aaa", "b"));
    expect((await audit(rows)).warnings).toEqual([
      expect.stringMatching(/^Over all pairs the longer response is chosen in 100.0%/),
    ]);
    const countTokens = (): { prompt: number; chosen: number; rejected: number } => ({
      prompt: 1,
      chosen: 1,
      rejected: 2,
    });
    expect((await audit(rows, { countTokens })).warnings).toEqual([
      expect.stringMatching(/^Over all pairs the shorter response is chosen in 100.0%/),
    ]);
  });

  it("counts which generator wins and warns of one that always does", async () => {
    const rows = [
      ...many(40, (i) =>
        row(`a${i}`, "a", "b", { chosen_model: "strong", rejected_model: "weak" }),
      ),
      ...many(10, (i) => row(`b${i}`, "a", "b", { chosen_model: "weak", rejected_model: "weak" })),
    ];
    const report = await audit(rows);
    expect(report.generators).toMatchObject([
      { generator: "weak", chosen: 10, rejected: 50, share: 0.6, wins: { count: 0, of: 40 } },
      { generator: "strong", chosen: 40, rejected: 0, share: 0.4, wins: { count: 40, of: 40 } },
    ]);
    expect(report.warnings.join("\n")).toMatch(
      /"strong" wrote the chosen side in 100.0% of its 40/,
    );
  });

  it("counts turns, system turns, longer responses and scripts", async () => {
    const turn = (role: string, content: string): object => ({ role, content });
    const rows = [
      {
        prompt: [turn("system", "s"), turn("user", "q")],
        chosen: [turn("assistant", "да")],
        rejected: "no",
      },
      {
        prompt: [turn("user", "q"), turn("assistant", "x"), turn("user", "q2")],
        chosen: [turn("assistant", "a"), turn("user", "b"), turn("assistant", "c")],
        rejected: "no",
      },
    ];
    const report = await audit(rows);
    expect(report.turns).toMatchObject({
      promptTurns: [
        { turns: 1, pairs: 1 },
        { turns: 3, pairs: 1 },
      ],
      withSystem: { count: 1, of: 2 },
      longResponses: 1,
    });
    expect(report.scripts).toEqual([
      { script: "Cyrillic", pairs: 1 },
      { script: "Latin", pairs: 1 },
    ]);
  });

  it("reports data without a usable pair instead of failing", async () => {
    const report = await audit([row("q", "a", "a")]);
    expect(report).toMatchObject({
      rows: 1,
      usable: 0,
      lengths: [],
      warnings: ["No row is a usable pair."],
    });
    expect(JSON.parse(JSON.stringify(report))).toMatchObject({ usable: 0 });
  });

  it("finds nothing to warn about in plain data", async () => {
    const rows = many(50, (i) =>
      row(`q${i}`, i % 2 ? `aa${i}` : `a${i}`, i % 2 ? `b${i}` : `bb${i}`),
    );
    expect((await audit(rows)).warnings).toEqual([]);
  });
});
