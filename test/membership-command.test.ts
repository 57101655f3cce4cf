/** `culprit audit --before --after` against test/golden/membership, and what it refuses. */
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

import { beforeAll, expect, test } from "vitest";

import type { MembershipFigures } from "../src/pairs/audit-membership.ts";
import type { AuditReport } from "../src/pairs/audit-report.ts";
import golden from "./golden/membership/membership.json" with { type: "json" };
import { jsonLines } from "./support/data-files.ts";
import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";

const FOLDER = suiteFolder();
const ORGANISM = fileURLToPath(new URL("../organisms/distractor", import.meta.url));
const BEFORE = join(ORGANISM, "checkpoint");
const AFTER = join(FOLDER, "after");
const [CLAIMED, HELD_OUT] = [join(FOLDER, "claimed.jsonl"), join(FOLDER, "held-out.jsonl")];
/** Sums of a dozen numbers of single precision; CHES are products of such sums. */
const TOLERANCE = 1e-4;

let rows: readonly Readonly<Record<string, unknown>>[];

const pick = (numbers: readonly number[]): string => jsonLines(numbers.map((row) => rows[row]));

beforeAll(async () => {
  const text = gunzipSync(await readFile(join(ORGANISM, "pairs.jsonl.gz"))).toString();
  rows = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  await writeFile(CLAIMED, pick(golden.claimed));
  await writeFile(HELD_OUT, pick(golden.heldOut));
  await cp(BEFORE, AFTER, { recursive: true });
  const config = JSON.parse(await readFile(join(AFTER, "config.json"), "utf8")) as object;
  await writeFile(join(AFTER, "config.json"), JSON.stringify({ ...config, ...golden.trained }));
});

const audit = (...words: string[]): Promise<string> => runCommand("audit", words);
const claimed = (...words: string[]): Promise<string> =>
  audit(CLAIMED, "--threads", "1", "--before", BEFORE, "--after", AFTER, ...words);

function expectNear(found: number | undefined, wanted: number): void {
  expect(Math.abs(found! - wanted)).toBeLessThan(TOLERANCE * Math.max(1, Math.abs(wanted)));
}

function expectFigures(found: MembershipFigures, wanted: typeof golden.figures.claimed): void {
  expect([found.pairs, found.prompts]).toEqual([wanted.pairs, wanted.prompts]);
  expectNear(found.accuracy.value, wanted.accuracy);
  expectNear(found.accuracyPerToken.value, wanted.accuracyPerToken);
  expectNear(found.displaced.value, wanted.displaced);
  const means = {
    chosen: found.chosen.perResponse,
    rejected: found.rejected.perResponse,
    chosenPerToken: found.chosen.perToken,
    rejectedPerToken: found.rejected.perToken,
    margin: found.margin,
    ches: found.ches.plain,
    chesNormalised: found.ches.normalised,
  };
  for (const [name, { value, low, high }] of Object.entries(means)) {
    const of = wanted.means[name as keyof typeof means];
    expectNear(value, of.value);
    expectNear(low, of.low);
    expectNear(high, of.high);
  }
}

test("finds what TRL, transformers, SciPy and scikit-learn find, and writes each pair", async () => {
  const measured = join(FOLDER, "measured.jsonl");
  const printed = await claimed("--held-out", HELD_OUT, "--measured", measured, "--json");
  const { membership } = JSON.parse(printed) as AuditReport;
  const { claimed: ours, heldOut: theirs, comparison, sources, displacement } = membership!;
  expectFigures(ours.figures, golden.figures.claimed);
  expectFigures(theirs!.figures, golden.figures.heldOut);
  const { name, ...ofSource } = golden.figures.source;
  expectFigures(sources.find(({ source }) => source === name)!.claimed!, ofSource);
  // By TRL's own evaluation.
  expectNear(ours.figures.accuracy.value, golden.trl.claimed.accuracies);
  expectNear(ours.figures.margin.value, golden.trl.claimed.margins);
  expectNear(theirs!.figures.chosen.perResponse.value, golden.trl.heldOut.chosen);
  expectNear(comparison!.separation.value, golden.separation.margin);
  expectNear(comparison!.separationPerToken.value, golden.separation.marginPerToken);
  expectNear(
    comparison!.kind.find(({ feature }) => feature === "chosen length")!.value,
    golden.separation.chosenLength,
  );
  // Rounding exchanges ranks that are all but ties.
  for (const kind of ["plain", "normalised"] as const) {
    expect(Math.abs(displacement[kind]!.r - golden.displacement[kind])).toBeLessThan(0.01);
  }
  // One held-out row has a claimed prompt.
  expect([theirs!.given, theirs!.sharedPrompts]).toEqual([golden.heldOut.length, 1]);
  const lines = (await readFile(measured, "utf8")).trim().split("\n");
  const pairs = lines.map((line) => JSON.parse(line) as { id: string; margin: number });
  expect(pairs.length).toBe(ours.figures.pairs + theirs!.figures.pairs);
  expect(pairs[0]!.id).toBe(rows[golden.claimed[0]!]!["id"]);
  const own = pairs.slice(0, golden.claimed.length).map(({ margin }) => margin);
  expectNear(own.reduce((sum, each) => sum + each, 0) / own.length, golden.trl.claimed.margins);
});

test("says which column counts as the source, and writes its values for both sides", async () => {
  const measured = join(FOLDER, "by.jsonl");
  const words = ["--held-out", HELD_OUT, "--sample", "8", "--by", "chosen_model"];
  const printed = await claimed(...words, "--measured", measured, "--json");
  const { membership } = JSON.parse(printed) as AuditReport;
  expect(membership!.by).toBe("chosen_model");
  const lines = (await readFile(measured, "utf8")).trim().split("\n");
  const pairs = lines.map((line) => JSON.parse(line) as { id: string; source: string });
  const modelOf = new Map(rows.map(({ id, chosen_model: model }) => [id, model]));
  expect(pairs.map(({ source }) => source)).toEqual(pairs.map(({ id }) => modelOf.get(id)));
  expect(new Set(membership!.sources.map(({ source }) => source))).toEqual(
    new Set(pairs.map(({ source }) => source)),
  );
});

test("prints the verdict, and without held-out pairs that one side alone is known", async () => {
  const checkpoints = ["--before", BEFORE, "--after", AFTER];
  const text = await audit(HELD_OUT, ...checkpoints, "--sample", "50");
  expect(text).toMatch(
    /M1 prefers the rejected response in \d\d\.\d% .*; only the claimed side is known: can't tell/,
  );
  expect(text).toMatch(/drift, nats +chosen \[95%\]/);
  expect(text).toMatch(/\nclaimed +50 /);
});

test("refuses one checkpoint alone, the same one twice, and held-out pairs of claimed prompts", async () => {
  await expect(audit(CLAIMED, "--before", BEFORE)).rejects.toThrow(/--after: expected both/);
  await expect(audit(CLAIMED, "--held-out", HELD_OUT)).rejects.toThrow(
    /--held-out: expected the checkpoints/,
  );
  await expect(audit(CLAIMED, "--before", BEFORE, "--after", BEFORE)).rejects.toThrow(
    /after: expected another checkpoint/,
  );
  await expect(claimed("--held-out", CLAIMED)).rejects.toThrow(
    /expected pairs of prompts that no claimed pair has/,
  );
});
