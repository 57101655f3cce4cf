/** @file `culprit train` as users run it, and as a stage of an experiment does. */
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeAll, describe, expect, it } from "vitest";

import { EDIT } from "../src/edit/edit.ts";
import { localHost } from "../src/engine/local-host.ts";
import { runStages } from "../src/experiment/run-stages.ts";
import type { Stage } from "../src/experiment/stage.ts";
import { verbStage } from "../src/experiment/verb-stage.ts";
import { openPairs } from "../src/pairs/open-pairs.ts";
import { readSkipped } from "../src/runs/stage-record.ts";
import { hashFile } from "../src/util/hash.ts";
import { checkpointAt } from "../src/verbs/inputs/checkpoint.ts";
import { countedSettings } from "../src/verbs/list-settings.ts";
import { train } from "../src/verbs/train.ts";
import { jsonLines } from "./support/data-files.ts";
import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";
import { tinyPairs, writeTinyCheckpoint } from "./support/tiny-training.ts";

const ROOT = suiteFolder();
const at = (name: string): string => join(ROOT, name);
const START = at("start");
const PAIRS = at("pairs.jsonl");
const pairs = tinyPairs(12);
const [first, second] = pairs;
const left = pairs.slice(2);

beforeAll(async () => {
  await writeTinyCheckpoint(START);
  await writeFile(PAIRS, jsonLines(pairs));
  await writeFile(at("left.jsonl"), jsonLines(left));
  await writeFile(
    at("swapped.jsonl"),
    jsonLines([
      { ...first!, chosen: first!.rejected, rejected: first!.chosen },
      { ...second!, chosen: second!.rejected, rejected: second!.chosen },
      ...left,
    ]),
  );
  const ids = [first!.id, second!.id];
  const edit = { pick: "chosen", groups: [], unranked: 0, warnings: [] } as const;
  await EDIT.write(at("filter.json"), { ...edit, action: "filter", ids });
  await EDIT.write(at("swap.json"), { ...edit, action: "swap", ids });
  await EDIT.write(at("none.json"), { ...edit, action: "filter", ids: [] });
  await writeFile(at("chat.jsonl"), jsonLines([{ prompt: "hello", response: "yes" }]));
});

/** The command with the flags that most tests share. */
const culprit = (data: string, out: string, more = "", warn?: (line: string) => void) =>
  runCommand(
    "train",
    `${at(data)} --checkpoint ${START} --out ${at(out)} --learning-rate 1e-2 --batch-size 4 --threads 1 ${more}`
      .trim()
      .split(" "),
    warn,
  );
const weightsOf = (out: string): Promise<string> => hashFile(at(`${out}/model.safetensors`));

describe("culprit train", () => {
  it("prints what was trained, and keeps references beside the run unless a place is named", async () => {
    const printed = await culprit("pairs.jsonl", "whole", "--state-every 2");
    expect(printed).toMatch(
      /whole: 3 steps over 12 examples in .* s\nlast tenth: loss .*, accuracy .*, margin .*\n\d+ tokens/,
    );
    const json = JSON.parse(
      await culprit(
        "pairs.jsonl",
        "again",
        `--json --reference-cache ${at("whole/reference-cache")}`,
      ),
    ) as object;
    expect(json).toMatchObject({ steps: 3, weightsHash: await weightsOf("whole") });
    expect(existsSync(at("again/reference-cache"))).toBe(false);
  });

  it("trains an adapter with --lora, which its settings need", async () => {
    await culprit(
      "pairs.jsonl",
      "lora",
      "--lora --rank 2 --targets q_proj,v_proj --warmup-steps 1",
    );
    const { settings } = JSON.parse(await readFile(at("lora/train.json"), "utf8")) as {
      settings: object;
    };
    expect(settings).toMatchObject({
      adaptation: { kind: "lora", rank: 2, alpha: 4, targets: ["q_proj", "v_proj"] },
      warmup: { steps: 1 },
    });
    await expect(culprit("pairs.jsonl", "x", "--rank 2")).rejects.toThrow(
      "--rank: expected --lora with it, got none",
    );
  });

  it.each(["filter", "swap"])("--edit trains as on the pairs that %s leaves", async (action) => {
    await culprit("pairs.jsonl", `edit-${action}`, `--edit ${at(`${action}.json`)}`);
    await culprit(action === "swap" ? "swapped.jsonl" : "left.jsonl", `file-${action}`);
    expect(await weightsOf(`edit-${action}`)).toBe(await weightsOf(`file-${action}`));
    await culprit("pairs.jsonl", "plain");
    expect(await weightsOf(`edit-${action}`)).not.toBe(await weightsOf("plain"));
  });

  it.each([
    ["--method sft --beta 1", "--beta: expected method dpo with it, got sft"],
    ["--method sft --length-normalized", "--length-normalized: expected method dpo with it"],
    ["--method sft --label-smoothing 0.1", "--label-smoothing: expected method dpo with it"],
    ["--method sft --reference-cache r", "--reference-cache: expected method dpo with it, got sft"],
    ["--loss-on all", "--loss-on: expected method sft with it, got dpo"],
    ["--warmup-ratio 1", '--warmup-ratio: expected a number from 0 to below 1, got "1"'],
    ["--max-tokens 129", "--max-tokens: the checkpoint was made for 128 positions, got 129"],
    [`--out ${PAIRS}`, `--out: expected another file than the input`],
    [`--out ${at("filter.json")}`, "expected a folder for --out, got a file"],
    [`--edit ${at("none.json")}`, "the edit takes no pairs"],
    [`--edit ${PAIRS}`, "expected what culprit edit decided"],
  ])("refuses %s", async (more, message) => {
    await expect(culprit("pairs.jsonl", "refused", more)).rejects.toThrow(message);
  });

  it("edits pairs only", async () => {
    const sft = `--method sft --edit ${at("filter.json")}`;
    await expect(culprit("chat.jsonl", "refused", sft)).rejects.toThrow(
      "--edit: expected preference pairs to edit, got other examples",
    );
  });

  it("warns of rows that cannot be used", async () => {
    await writeFile(at("broken.jsonl"), `${jsonLines(pairs)}{"prompt":"a","chosen":"b"}\n`);
    const lines: string[] = [];
    await culprit("broken.jsonl", "broken", "", (line) => void lines.push(line));
    expect(lines).toEqual([`1 rows cannot be used, see ${at("broken/unusable.jsonl")}`]);
  });
});

describe("a stage that trains", () => {
  const settings = train.settings.parse({ learningRate: 1e-2, batchSize: 4 });

  async function stages(edit: string): Promise<readonly Stage[]> {
    const opened = await openPairs([PAIRS]);
    const decided: Stage = {
      kind: "edit",
      name: "",
      version: 1,
      settings: edit,
      inputs: {},
      run: async ({ directory }) =>
        writeFile(join(directory, "edit.json"), await readFile(at(edit), "utf8")),
    };
    const trained = verbStage(train, {
      kind: "retrain",
      settings,
      inputs: {
        data: {
          content: opened.contentHash,
          open: () => ({
            pairs: () => Promise.resolve(opened),
            examples: () => Promise.resolve(opened),
          }),
        },
        checkpoint: {
          content: "start",
          open: () => checkpointAt(localHost, START, { threads: 1 }),
        },
        edit: { stage: "edit" },
      },
    });
    return [decided, trained];
  }

  it("ends in the bytes of the command, with the references in the shared place", async () => {
    const out = at("experiment");
    const [, done] = await runStages(await stages("filter.json"), { out });
    const trained = join(out, done!.directory, "checkpoint");
    await culprit("left.jsonl", "left");
    expect(await hashFile(join(trained, "model.safetensors"))).toBe(await weightsOf("left"));
    const files = done!.record.files.map(({ path }) => path);
    expect(files).toContain("checkpoint/model.safetensors");
    expect(files.join(" ")).not.toMatch(/train\.json|metrics|unusable|reference/);
    expect(done!.record.cost.tokens).toBeGreaterThan(0);
    expect(existsSync(join(out, "cache/reference-log-probabilities"))).toBe(true);
  });

  it("is skipped where the edit takes no pairs", async () => {
    const out = at("nothing");
    const [, done] = await runStages(await stages("none.json"), { out });
    expect(await readSkipped(join(out, done!.directory))).toBe(
      "the edit takes no pairs, so there is nothing to compare",
    );
  });

  it("has a key of what changes its result only", () => {
    expect(countedSettings(train.settings, { ...settings, stateEvery: 3 })).toEqual(settings);
    const bf16 = { ...settings, dtype: "BF16" };
    expect(countedSettings(train.settings, bf16)).toEqual(bf16);
  });
});
