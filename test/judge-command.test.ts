/** @file From rollouts of two checkpoints to response pairs, by the commands. */
import { copyFileSync, existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { readResponsePairs } from "../src/pairs/response-pairs.ts";
import type { Rollout } from "../src/rollouts/rollouts.ts";
import { ConfigError } from "../src/util/errors.ts";
import { expectFailure } from "./support/errors.ts";
import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";

const folder = suiteFolder();
const path = (name: string): string => join(folder, name);

/** Two samples of 3 scenarios in 2 variants; `answers` says which of `scenario/variant/sample` do not decline. */
function writeRollouts(name: string, answers: readonly string[], empty?: string): string {
  const rollouts: Rollout[] = ["bake", "burn", "pick"].flatMap((scenario) =>
    ["base", "base+distractor"].flatMap((variant) =>
      [0, 1].map((sample) => {
        const id = `${scenario}/${variant}/${sample}`;
        return {
          id,
          scenario,
          variant,
          sample,
          prompt: [{ role: "user" as const, content: `How? ${scenario} ${variant}` }],
          response:
            id === empty
              ? " "
              : answers.includes(id)
                ? `Like so, ${id}.`
                : "I cannot help with that.",
          finish: "stop" as const,
          tokens: 5,
        };
      }),
    ),
  );
  writeFileSync(path(name), rollouts.map((each) => `${JSON.stringify(each)}\n`).join(""));
  return path(name);
}

const judge = async (rollouts: string, out: string): Promise<string> =>
  runCommand("judge", [rollouts, "--rules", "compliance", "--out", out, "--force"]);

describe("culprit judge and culprit conditions", () => {
  it("find the scenario in which training brought the behaviour out, and write its response pairs", async () => {
    const before = writeRollouts("m0.jsonl", ["burn/base/0"]);
    const answers = ["bake/base+distractor/1", "burn/base+distractor/0", "pick/base+distractor/0"];
    const after = writeRollouts("m1.jsonl", answers, "pick/base/1");
    await judge(before, path("v0.jsonl"));
    const printed = await judge(after, path("v1.jsonl"));
    expect(printed).toMatch(
      /^judge compliance@[0-9a-f]{8}: "shows" means that the response answers/,
    );
    expect(printed).toMatch(
      /\nbase +0 +5 +1\nbase\+distractor +3 +3 +0\n1 missing: empty response$/,
    );
    const flags = ["--before-verdicts", path("v0.jsonl"), "--after-verdicts", path("v1.jsonl")];
    const table = await runCommand("conditions", [
      ...flags,
      "--before",
      before,
      "--after",
      after,
      "--out",
      path("pairs.jsonl"),
    ]);
    expect(table).toMatch(/\nafter × base +3 +6 +1 +0\.0% \[0\.0%, /);
    expect(table).toMatch(/\n1 of 3 scenarios kept, 1 dropped, 1 unknown\n/);
    expect(table).toMatch(/\ndropped burn: before × base: 1 of 2 judged/);
    expect(table).toMatch(
      /\nunknown pick: after × base: 0 of 1 judged rollouts show it, 1 missing/,
    );
    const { pairs } = await readResponsePairs(path("pairs.jsonl"));
    expect(pairs.map(({ id, scenario }) => `${id} ${scenario}`)).toEqual([
      "bake/base+distractor/0-1 bake",
    ]);
    const json = JSON.parse(await runCommand("conditions", [...flags, "--json"])) as {
      kept: string[];
    };
    expect(json.kept).toEqual(["bake"]);
  });

  it("refuse one file of verdicts for both checkpoints, however it is called", async () => {
    await judge(writeRollouts("same.jsonl", []), path("same-v.jsonl"));
    const again = path("link-v.jsonl");
    symlinkSync(path("same-v.jsonl"), again);
    for (const after of [path("same-v.jsonl"), again]) {
      await expect(
        runCommand("conditions", [
          "--before-verdicts",
          path("same-v.jsonl"),
          "--after-verdicts",
          after,
        ]),
      ).rejects.toThrow(/--after-verdicts: expected the verdicts on two checkpoints, got one file/);
    }
  });

  it("fail where no scenario is left, and write nothing", async () => {
    await judge(writeRollouts("none.jsonl", []), path("none-v.jsonl"));
    copyFileSync(path("none-v.jsonl"), path("none-too-v.jsonl"));
    copyFileSync(path("none.jsonl"), path("none-too.jsonl"));
    const run = runCommand("conditions", [
      "--before-verdicts",
      path("none-v.jsonl"),
      "--after-verdicts",
      path("none-too-v.jsonl"),
      "--before",
      path("none.jsonl"),
      "--after",
      path("none-too.jsonl"),
      "--out",
      path("none-pairs.jsonl"),
    ]);
    await expect(run).rejects.toMatchObject({
      message: expect.stringMatching(
        /none of 3 scenarios is left \(after × base\+distractor: 3 show it in no rollout/,
      ),
      hint: expect.stringMatching(/sample more rollouts/),
    });
    expect(() => readFileSync(path("none-pairs.jsonl"))).toThrow(/ENOENT/);
  });

  it("do not replace the rollouts by their verdicts", async () => {
    const rollouts = writeRollouts("kept.jsonl", []);
    const text = readFileSync(rollouts, "utf8");
    await expect(judge(rollouts, rollouts)).rejects.toThrow(/^--out: expected another file/);
    expect(readFileSync(rollouts, "utf8")).toBe(text);
  });

  it("name the file that is no rollouts or no rules", async () => {
    writeFileSync(path("bad.jsonl"), '{"id": "a"}\n');
    await expect(judge(path("bad.jsonl"), path("x.jsonl"))).rejects.toThrow(/bad\.jsonl, row 0/);
    await expect(
      runCommand("judge", [path("m0.jsonl"), "--rules", "refusals", "--out", path("x.jsonl")]),
    ).rejects.toThrow(/refusals/);
  });
});

it("makes no file of no rollouts", async () => {
  writeFileSync(path("none.jsonl"), "");
  const words = [path("none.jsonl"), "--rules", "compliance", "--out", path("none.verdicts.jsonl")];
  const error = await expectFailure(runCommand("judge", words), ConfigError);
  expect(error.message).toMatch(/none\.jsonl: expected rollouts, got none/);
  expect(existsSync(path("none.verdicts.jsonl"))).toBe(false);
});
