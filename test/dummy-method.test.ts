/** @file A method that is in the registry alone is in help and schema, ranks, is measured and is edited by. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";
import { z } from "zod";

import { defineMethod } from "../src/attribution/method.ts";
import { METHODS } from "../src/attribution/methods/index.ts";
import { verbCommand } from "../src/cli/verb-command.ts";
import { EDIT } from "../src/edit/edit.ts";
import { QUALITY } from "../src/ranking/ranking-quality.ts";
import { RANK_REPORT } from "../src/ranking/ranking-report.ts";
import { jsonSchemaOf } from "../src/verbs/json-schema.ts";
import { rankVerb } from "../src/verbs/rank.ts";
import { methodSettings } from "../src/verbs/settings/methods.ts";
import { jsonLines } from "./support/data-files.ts";
import { randomPairs } from "./support/random-pairs.ts";
import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";

const FOLDER = suiteFolder();

/** Pairs by how often a letter occurs in their ids. */
const letters = defineMethod({
  name: "letters",
  meaning: "The id has many of one letter.",
  settings: z.strictObject({
    letter: z.string().length(1).default("1").describe("letters: the one that is counted."),
  }),
  needs: [],
  describe: ({ letter }) => ({
    formula: `times that ${letter} occurs in the id`,
    traits: { isBounded: false, null: "none", hasVerdict: false, hasLayer: false },
  }),
  score: ({ rows }, { letter }) =>
    Promise.resolve([{ scores: Float32Array.from(rows.ids, (id) => id.split(letter).length - 1) }]),
});

const registry = [...METHODS, letters];

test("a dummy method is in help and schema, ranks, is measured and is edited by", async () => {
  const rank = verbCommand(rankVerb(registry));
  expect(rank.flags["letter"]?.describe).toBe("letters: the one that is counted. Default: 1.");
  expect(rank.flags["method"]?.describe).toContain("letters: The id has many of one letter.");
  expect(JSON.stringify(jsonSchemaOf(methodSettings(registry)))).toContain('"const":"letters"');

  const pairs = join(FOLDER, "pairs.jsonl");
  const rows = randomPairs(40);
  await writeFile(pairs, jsonLines(rows));
  const [out, report] = [join(FOLDER, "r.parquet"), join(FOLDER, "r.json")];
  const words = ["--pairs", pairs, "--method", "letters", "--letter", "3"];
  const text = await runCommand(rank, [...words, "--out", out, "--report", report]);
  expect(text).toMatch(/^40 pairs ranked by letters: times that 3 occurs in the id\n/);
  expect(text).toMatch(/\n== method letters\nverdict: none, there is no null to compare with\n/);
  expect(text).toMatch(/\npair-33 +\w+ +2\.00 +1\n/);
  const { rankings } = await RANK_REPORT.read(report);
  expect(rankings[0]).toMatchObject({ method: { name: "letters", settings: { letter: "3" } } });

  const planted = join(FOLDER, "planted.jsonl");
  const isPlanted = ({ id }: { readonly id: string }): boolean => id.includes("3");
  await writeFile(planted, jsonLines(rows.filter(isPlanted).map(({ id }) => ({ id }))));
  const measured = join(FOLDER, "quality.json");
  await runCommand("quality", [out, "--planted", planted, "--out", measured]);
  const [quality] = await QUALITY.read(measured);
  expect([quality!.method, quality!.auroc.value]).toEqual(["letters", 1]);

  const plan = join(FOLDER, "edit.json");
  const edited = join(FOLDER, "edited.jsonl");
  const edit = [pairs, "--ranking", out, "--action", "filter", "--top", "1"];
  await runCommand("edit", [...edit, "--plan", plan, "--out", edited]);
  expect(await EDIT.read(plan)).toMatchObject({ method: "letters", ids: ["pair-33"] });
  expect(await readFile(`${edited}.manifest.json`, "utf8")).toContain('"method": "letters"');
});

test("what a method has no use for is refused, and so is what it lacks", async () => {
  const rank = verbCommand(rankVerb(registry));
  const refuse = (...words: string[]): Promise<string> =>
    runCommand(rank, words).catch((error: Error) => error.message);
  expect(await refuse("--method", "letters")).toBe(
    "store: expected one, or pairs, to score, got none",
  );
  expect(await refuse("vectors", "--method", "length")).toBe(
    "--pairs: expected one, which the method length needs, got none",
  );
  expect(await refuse("vectors", "--method", "random", "--behavior", "b.safetensors")).toBe(
    "--behavior: expected none beside the method random, which has no use for it",
  );
  expect(await refuse("vectors", "--method", "random", "--layers", "2")).toBe(
    "--layers: expected none beside the method random, which has no use for it",
  );
  expect(await refuse("vectors", "--method", "random", "--scorer", "cosine")).toMatch(
    /^--scorer: expected --method probe or influence-probe or gradient or concept-influence with it, got random$/,
  );
});
