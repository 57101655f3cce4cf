/** @file Command lines that users get wrong: every message says where, what was expected, what is there, and what to do next. */
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Command } from "../src/cli/command.ts";
import { COMMANDS } from "../src/cli/commands/index.ts";
import { CulpritError } from "../src/util/errors.ts";
import { jsonLines } from "./support/data-files.ts";
import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";

const folder = suiteFolder();
const home = process.cwd();

const place = { scenario: "s", variant: "base", sample: 0 };
const prompt = [{ role: "user", content: "Why?" }];
const rollout = { id: "s/base/0", ...place, prompt, response: "So.", finish: "stop", tokens: 1 };
const FILES: Readonly<Record<string, string>> = {
  "rollouts.jsonl": jsonLines([rollout]),
  "verdicts.jsonl": jsonLines([{ rollout: "s/base/0", ...place, judge: "j", label: "shows" }]),
  "pairs.jsonl": jsonLines([{ prompt: "Why?", chosen: "So.", rejected: "No." }]),
  "responses.jsonl": jsonLines([{ prompt: "Why?", before: "No.", after: "So." }]),
  "scenarios.jsonl": jsonLines([{ id: "a", base: "Why?", distractor: "In a list." }]),
  "ranking.jsonl": jsonLines([{ id: "a", rank: 1, score: 0.5 }]),
  "columns.csv": "a,b\n1,2\n",
  "empty.jsonl": "",
  "empty.yaml": "",
  "zero.yaml": "[]\n",
  "twice.yaml": "- {id: a, base: Hi}\n- {id: a, base: Ho}\n",
  "uneven.yaml": "- {id: a, base: Hi}\n- {id: b, base: Ho, distractor: X}\n",
  "indent.yaml": "- {id: a, base: Hi, distractor: Yo}\n- {id: a, base: Ho\n",
  "colon.yaml": "- {id: a, base: Hi}\n- {id: b base: Ho}\n",
  "tab.yaml": "- id: a\n  base: Hi\n\tdistractor: Yo\n",
  "nan.jsonl": '{"prompt":"Why?","chosen":"So.","rejected":"a NaN","weight":NaN}\n',
  "nan.json": '[{"id": "a", "base": -Infinity}]',
  "nan.yaml":
    "name: x\ncheckpoints: {before: ck}\npairs: {files: [p]}\nresponses: r\nbehavior: {layers: [1], splits: .nan}\n",
  "gone.yaml":
    "name: x\ncheckpoints: {before: ck}\npairs: {files: [pairs.jsonl]}\nresponses: gone.jsonl\nbehavior: {layers: [1]}\n",
};

beforeAll(() => {
  for (const [name, content] of Object.entries(FILES)) writeFileSync(join(folder, name), content);
  mkdirSync(join(folder, "dir"));
  symlinkSync("circle.jsonl", join(folder, "circle.jsonl"));
  process.chdir(folder);
});
afterAll(() => process.chdir(home));

async function failureOf(command: Command, words: readonly string[]): Promise<CulpritError> {
  const error: unknown = await runCommand(command.name, words).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(CulpritError);
  return error as CulpritError; // just checked
}

const endpoint = "--base-url http://127.0.0.1:1/v1 --model m --out o.jsonl";
const generate = (path: string, more = ""): string => `generate ${path} ${endpoint}${more}`;

describe("a wrong command line", () => {
  it.each([
    // a file of another kind
    [
      "judge verdicts.jsonl --rules refusal --out o",
      /^verdicts\.jsonl, row 0: finish: expected text, got nothing; these look like verdicts \(of culprit judge\), not rollouts/,
    ],
    [
      "judge pairs.jsonl --rules refusal --out o",
      /look like preference pairs, not rollouts \(of culprit generate\)/,
    ],
    [
      "judge scenarios.jsonl --rules refusal --out o",
      /look like scenarios \(of culprit scenarios\), not rollouts/,
    ],
    [
      "judge columns.csv --rules refusal --out o",
      /^columns\.csv, row 0: finish: expected text, got nothing$/,
    ],
    [
      "conditions --before-verdicts rollouts.jsonl --after-verdicts verdicts.jsonl",
      /^rollouts\.jsonl, row 0: rollout: expected a name, got nothing; these look like rollouts/,
    ],
    [
      "behavior rollouts.jsonl --checkpoint ck --layers 1 --out b.safetensors",
      /row 0: before: .*; these look like rollouts .*, not response pairs \(of culprit conditions\)/,
    ],
    [
      "behavior pairs.jsonl --checkpoint ck --layers 1 --out b.safetensors",
      /look like preference pairs, not response pairs/,
    ],
    [
      "audit rollouts.jsonl",
      /^pairs: expected rows of a known shape, .*; these look like rollouts \(of culprit generate\), not preference pairs$/,
    ],
    [
      "audit columns.csv",
      /got columns "a" \(text\), "b" \(text\) \(none of 1 sampled rows fits any shape\)$/,
    ],
    [
      generate("verdicts.jsonl"),
      /^verdicts\.jsonl, row 0: expected a scenario; these look like verdicts/,
    ],
    [
      "quality scenarios.jsonl --planted scenarios.jsonl",
      /look like scenarios \(of culprit scenarios\), not ranking \(of culprit rank\)/,
    ],
    [
      "rank dir --behavior responses.jsonl",
      /^dir: expected a vector store, got a folder without manifest\.json/,
    ],
    [
      "rank pairs.jsonl --behavior responses.jsonl",
      /^pairs\.jsonl: expected a vector store, got a file/,
    ],
    ["rank gone --behavior responses.jsonl", /^gone: expected a vector store, got no such folder/],
    ["status pairs.jsonl", /^pairs\.jsonl: expected the folder of an experiment, got a file/],
    ["status gone", /^gone: expected the folder of an experiment, got no such folder/],
    ["run pairs.jsonl", /^pairs\.jsonl: /],
    ["run dir", /^dir: expected a file, got a folder/],
    // no file, or none that can be read
    ["judge gone.jsonl --rules refusal --out o", /^gone\.jsonl: no such file$/],
    [
      "judge rollouts.jsonl/x --rules refusal --out o",
      /^rollouts\.jsonl\/x: no such file, a part of the path is a file itself/,
    ],
    [
      "judge circle.jsonl --rules refusal --out o",
      /^circle\.jsonl: expected a file, got links that lead in a circle/,
    ],
    [
      "judge rollouts.jsonl --rules complience --out o",
      /^complience: expected a rules file, got no file/,
    ],
    ["run gone", /^gone: no such file$/],
    ["evaluate --arm a=gone.jsonl", /^gone\.jsonl: no such file$/],
    [generate("dir"), /^dir: expected a file, got a folder/],
    // scenarios
    [generate("empty.jsonl"), /^empty\.jsonl: expected prompts or scenarios, got none/],
    [
      generate("empty.yaml"),
      /^empty\.yaml: expected a list of scenarios, or \{variants, scenarios\}, got nothing/,
    ],
    [generate("zero.yaml"), /^zero\.yaml: expected scenarios, got none/],
    [generate("twice.yaml"), /^twice\.yaml, row 1: the id "a" is that of row 0 too/],
    [
      generate("uneven.yaml", " --variants base+distractor"),
      /scenario "a": expected a variant "base\+distractor", got only base/,
    ],
    [
      generate("indent.yaml"),
      /^indent\.yaml, line 3: expected YAML, got a line that is not indented/,
    ],
    [
      generate("colon.yaml"),
      /^colon\.yaml, line 2: expected YAML, got a colon or a dash where a comma/,
    ],
    [generate("tab.yaml"), /^tab\.yaml, line 3: expected YAML, got something out of place, a tab/],
    // numbers that JSON does not know
    ["audit nan.jsonl", /^nan\.jsonl: expected rows, got none that can be read/],
    [
      generate("nan.json"),
      /^nan\.json: expected JSON, got -Infinity, a number that JSON does not know/,
    ],
    ["run nan.yaml", /behavior\.splits \(line 5\): expected a number, got NaN/],
    // files and folders
    [
      "judge rollouts.jsonl --rules refusal --out dir",
      /^dir: expected a file for --out, got a folder/,
    ],
    [
      "judge rollouts.jsonl --rules refusal --out dir --force",
      /^dir: expected a file for --out, got a folder/,
    ],
    ["judge rollouts.jsonl --rules refusal --out gone/o", /^gone: no such folder for --out/],
    [
      "scenarios --scenarios scenarios.jsonl --out-probe dir --out-evaluation o",
      /^dir: expected a file for --out-probe, got a folder/,
    ],
    [
      "generate scenarios.jsonl --checkpoint ck --out dir",
      /^dir: expected a file for --out, got a folder/,
    ],
    ["run zero.yaml --out x", /^zero\.yaml: /],
  ])("%s", async (line, message) => {
    const [name, ...words] = line.split(" ");
    const command = COMMANDS.find((each) => each.name === name)!; // named above
    const error = await failureOf(command, words);
    expect(error.message).toMatch(message);
    expect(error.hint).toBeTruthy();
    for (const out of ["o", "o.jsonl", "b.safetensors"]) expect(existsSync(out)).toBe(false);
  });

  it("names the number that JSON does not know, not one in a text", async () => {
    const command = COMMANDS.find(({ name }) => name === "audit")!; // a command
    const error = await failureOf(command, ["nan.jsonl"]);
    expect(error.hint).toMatch(/line 1: expected a JSON object, got NaN, a number that JSON/);
  });
});
