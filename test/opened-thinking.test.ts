/** @file Responses of a checkpoint whose chat template opens thinking: cut before its end, they answer nothing. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { openLocalEngine } from "../src/engine/local-engine.ts";
import { loadTokenizer } from "../src/model/tokenizer.ts";
import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";
import { makeTinyCheckpoint } from "./support/tiny-checkpoint.ts";

const folder = suiteFolder();
const prompts = join(folder, "prompts.jsonl");
writeFileSync(prompts, '{"id": "a", "prompt": "Hello"}\n');

/** A tiny checkpoint whose generation prompt ends with `end`, in whose tokenizer `special` are special tokens. */
async function checkpointThat(
  name: string,
  end: string,
  special: readonly string[] = [],
): Promise<string> {
  const plain = await makeTinyCheckpoint(join(folder, `${name}-plain`));
  const { vocabSize } = await loadTokenizer(plain);
  const config = { vocab_size: vocabSize + special.length };
  const dir = await makeTinyCheckpoint(join(folder, name), { config });
  addSpecialTokens(dir, special, vocabSize);
  const path = join(dir, "tokenizer_config.json");
  const written = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  const opening = `{% if add_generation_prompt %}${end}{% endif %}`;
  const template = `${written["chat_template"] as string}${opening}`;
  writeFileSync(path, JSON.stringify({ ...written, chat_template: template }));
  return dir;
}

function addSpecialTokens(dir: string, special: readonly string[], first: number): void {
  const path = join(dir, "tokenizer.json");
  const json = JSON.parse(readFileSync(path, "utf8")) as { added_tokens: unknown[] };
  const flags = { special: true, normalized: false, lstrip: false, rstrip: false };
  const added = special.map((content, i) => ({
    ...flags,
    id: first + i,
    content,
    single_word: false,
  }));
  writeFileSync(path, JSON.stringify({ ...json, added_tokens: [...json.added_tokens, ...added] }));
}

/** Judges two samples of a few tokens each by rules. */
async function judge(checkpoint: string, ending: "jsonl" | "parquet"): Promise<string> {
  const [out, verdicts] = [`${checkpoint}.${ending}`, `${checkpoint}.${ending}.v.jsonl`];
  const sampling = ["--rollouts", "2", "--max-tokens", "3", "--out", out];
  await runCommand("generate", [prompts, "--checkpoint", checkpoint, ...sampling]);
  return runCommand("judge", [out, "--rules", "compliance", "--out", verdicts]);
}

describe("a chat template that opens thinking", () => {
  it.each(["jsonl", "parquet"] as const)(
    "leaves nothing to judge where the limit cuts it: %s",
    async (ending) => {
      const checkpoint = await checkpointThat(`opens-${ending}`, "<think>\n");
      await expect(judge(checkpoint, ending)).rejects.toThrow(
        /none of 2 rollouts \(2 no response after the thinking\)$/,
      );
    },
  );

  it.each([
    ["a special token", "<think>\\n", ["<think>", "</think>"]],
    ["words of the thought", "<think>\\nOkay, ", []],
    ["Mistral's mark", "[THINK]", ["[THINK]", "[/THINK]"]],
    ["another mark", "<seed:think>", []],
  ])("leaves nothing to judge where it opens it by %s", async (name, end, special) => {
    const checkpoint = await checkpointThat(`by-${name.replaceAll(" ", "-")}`, end, special);
    await expect(judge(checkpoint, "jsonl")).rejects.toThrow(
      /none of 2 rollouts \(.*no response after the thinking\)$/,
    );
  });

  it("keeps the marks in responses where they are special tokens, and no other special token", async () => {
    const checkpoint = await checkpointThat("keeps", "<think>", ["<think>", "</think>"]);
    await using engine = await openLocalEngine(checkpoint);
    const text = "hm</think> yes<|im_end|>";
    const ids = engine.tokenizeText(text);
    expect(engine.decode(ids)).toBe("hm</think> yes");
  });

  it("is not taken for opened where the question speaks of the mark", async () => {
    const checkpoint = await checkpointThat("asked", "");
    await using engine = await openLocalEngine(checkpoint);
    expect(engine.opensThinking([{ role: "user", content: "What is <think>" }])).toBe(false);
  });

  it("and closes it at once leaves an answer", async () => {
    const checkpoint = await checkpointThat("closes", "<think>\n\n</think>\n\n");
    expect(await judge(checkpoint, "jsonl")).toMatch(/^base +\d +\d +0$/m);
  });
});
