/** @file What rows say beside their text reaches methods and shifts, or is named: tools, template variables, images, unread keys. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeAll, describe, expect, it } from "vitest";

import { SHIFTS } from "../src/forecast/shifts-file.ts";
import { RANK_REPORT, type RankingReport } from "../src/ranking/ranking-report.ts";
import { jsonLines } from "./support/data-files.ts";
import { type AskedBody, startFakeEndpoint } from "./support/fake-endpoint.ts";
import { type PairRow, randomPairs } from "./support/random-pairs.ts";
import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";
import { makeTinyCheckpoint } from "./support/tiny-checkpoint.ts";

const FOLDER = suiteFolder();
const at = (name: string): string => join(FOLDER, name);
const TOOL = { type: "function", function: { name: "lookup" } };
const [CHECKPOINT, TRAINED, RESPONSES] = ["sft", "dpo", "responses.jsonl"].map(at) as [
  string,
  string,
  string,
];
let runs = 0;

beforeAll(async () => {
  await makeTinyCheckpoint(CHECKPOINT);
  await makeTinyCheckpoint(TRAINED, { seed: 2 });
  const [first, second, third, ...others] = randomPairs(8, 5).map(
    ({ id, prompt, chosen: after, rejected: before }) => ({ id, prompt, before, after }),
  );
  const odd = [
    { ...first, images: ["a.png"] },
    { ...second, tools: [TOOL] },
    { ...third, before: third!.after },
  ];
  await writeFile(RESPONSES, jsonLines([...odd, ...others]));
});

interface Ranked {
  readonly report: RankingReport;
  readonly text: string;
  readonly warnings: readonly string[];
}

async function rank(rows: readonly object[], ...words: string[]): Promise<Ranked> {
  const [pairs, report] = [at(`${runs}.jsonl`), at(`${runs++}.json`)];
  await writeFile(pairs, jsonLines(rows));
  const warnings: string[] = [];
  const all = ["--pairs", pairs, ...words, "--report", report];
  const text = await runCommand("rank", all, (line) => void warnings.push(line));
  return { report: (await RANK_REPORT.read(report)).rankings[0]!, text, warnings };
}

/** Four pairs, of which the second has tools, the third images and the fourth a key of its own. */
const ROWS = randomPairs(4).map((row: PairRow, i) => {
  const own = { role: "assistant", content: row.chosen, aside: "in verse" };
  return [
    row,
    { ...row, tools: [TOOL], chat_template_kwargs: { enable_thinking: true } },
    { ...row, images: ["a.png"] },
    {
      ...row,
      prompt: [{ role: "user", content: row.prompt }],
      chosen: [own],
    },
  ][i]!;
});
/** In one shape. */
const rowsOf = (): readonly object[] =>
  ROWS.map((row) => ({
    ...row,
    prompt: typeof row.prompt === "string" ? [{ role: "user", content: row.prompt }] : row.prompt,
  }));

describe("methods that read responses", () => {
  it.each([
    ["length", []],
    ["bm25", ["--responses", RESPONSES]],
    ["embedding", ["--responses", RESPONSES, "--checkpoint", CHECKPOINT]],
  ])("%s leaves out rows that no text shows, and names what it passes over", async (name, more) => {
    const { report, text } = await rank(rowsOf(), "--method", name, ...more);
    expect(report).toMatchObject({
      scored: 2,
      unscored: { "unread: images": 1, "unread: aside": 1 },
    });
    expect(text).toContain(
      "Only the responses are read: what rows say beside the text of the prompt counts for nothing here (tools 1, enable_thinking 1 pairs).",
    );
    if (name === "length") return;
    expect(text).toContain("Left out: 1 of 7 response pairs (unread: images 1).");
    expect(text).toContain("Of response pairs, too, only the responses are read (tools 1 pairs).");
  });
});

describe("the method judge", () => {
  const score = (body: AskedBody): string =>
    JSON.stringify({ reason: "r", score: body.messages[1]!.content.length % 7 });

  it("shows tools, variables and keys of turns, asks anew for other ones, and leaves out images", async () => {
    const asked: string[] = [];
    const answer = (body: AskedBody): string => {
      asked.push(body.messages[1]!.content);
      return score(body);
    };
    await using server = await startFakeEndpoint({ answer });
    const about = ["--method", "judge", "--description", "It names a river.", "--model", "m"];
    const kept = ["--base-url", server.url, "--answers", at("answers.jsonl")];
    const dry = await runCommand("rank", [
      "--pairs",
      await written(rowsOf()),
      ...about,
      ...kept,
      "--dry-run",
    ]);
    expect(dry).toMatch(/^3 pairs: 6 requests/);
    const { report, text } = await rank(rowsOf(), ...about, ...kept);
    expect(report).toMatchObject({ scored: 3, unscored: { "unread: images": 1 } });
    const given = asked.filter((each) =>
      each.includes("---- given to the AI system with the request"),
    );
    expect(given).toHaveLength(2);
    expect(given[0]).toContain(
      'tools: [{"function":{"name":"lookup"},"type":"function"}]\nenable_thinking: true\n---- first response',
    );
    expect(asked.filter((each) => each.includes('aside: "in verse"'))).toHaveLength(2);
    expect(text).toContain(
      "What rows say beside their turns' text is shown as JSON (tools 1, enable_thinking 1, aside 1 pairs).",
    );
    // With another tool it is another question; those about the others are kept.
    const renamed = rowsOf().map((row) =>
      "tools" in row ? { ...row, tools: [{ ...TOOL, type: "other" }] } : row,
    );
    await rank(renamed, ...about, ...kept);
    expect(server.counts.requests).toBe(8);
  });
});

async function written(rows: readonly object[]): Promise<string> {
  const path = at(`${runs++}.jsonl`);
  await writeFile(path, jsonLines(rows));
  return path;
}

describe("what is left out has a cause", () => {
  it("of response pairs that loss-diff does not train on, also where the training is found again", async () => {
    const words = ["--method", "loss-diff", "--rank", "2", "--epochs", "1"];
    const from = ["--responses", RESPONSES, "--checkpoint", CHECKPOINT, "--ignore-unread"];
    const strict = from.slice(0, -1);
    const cache = ["--cache", at("cache")];
    for (let time = 0; time < 2; time++) {
      const { report, text, warnings } = await rank(rowsOf(), ...words, ...strict, ...cache);
      expect(text).toMatch(
        /Not trained on: 2 of 7 response pairs \(unread 2\); the first: the row has images and the chat template does not show it\./,
      );
      expect(warnings.join("\n")).toContain(
        "left out are 1 of 8 response pairs: identical-sides 1",
      );
      expect(report.unscored).toEqual({
        "unread: tools, enable_thinking": 1,
        "unread: images": 1,
        "unread: aside": 1,
      });
    }
    expect((await rank(rowsOf(), ...words, ...from)).text).not.toContain("Not trained on");
  });

  it("of rows that are no pairs at all", async () => {
    const picture = [
      { role: "user", content: [{ type: "image" }, { type: "text", text: "what" }] },
    ];
    const rows = [...rowsOf(), { ...rowsOf()[0], id: "e", prompt: picture }];
    const { warnings } = await rank(rows, "--method", "length");
    expect(warnings.join("\n")).toContain(
      "pairs: 1 of 5 rows are no usable pairs and are not ranked: not-text 1",
    );
  });

  it("of response pairs whose shift is not measured", async () => {
    const out = at("shifts.json");
    const models = ["--checkpoint", CHECKPOINT, "--trained", TRAINED];
    const warnings: string[] = [];
    await runCommand("shifts", ["--responses", RESPONSES, ...models, "--out", out], (line) =>
      warnings.push(line),
    );
    const [behavior] = (await SHIFTS.read(out)).behaviors;
    expect(behavior).toMatchObject({
      unusable: 3,
      causes: { "identical-sides": 1, "unread: images": 1, "unread: tools": 1 },
    });
    expect(warnings.join("\n")).toMatch(
      /responses: 3 response pairs are left out: .*unread: images 1/,
    );
  });
});
