/** @file Responses of a checkpoint whose chat template opens thinking: cut before its end, they answer nothing. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";
import { makeTinyCheckpoint } from "./support/tiny-checkpoint.ts";

const folder = suiteFolder();
const prompts = join(folder, "prompts.jsonl");
writeFileSync(prompts, '{"id": "a", "prompt": "Hello"}\n');

/** A tiny checkpoint whose generation prompt ends with `end`. */
async function checkpointThat(name: string, end: string): Promise<string> {
  const dir = await makeTinyCheckpoint(join(folder, name));
  const path = join(dir, "tokenizer_config.json");
  const config = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  const opening = `{% if add_generation_prompt %}${end}{% endif %}`;
  writeFileSync(
    path,
    JSON.stringify({ ...config, chat_template: `${config["chat_template"] as string}${opening}` }),
  );
  return dir;
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

  it("and closes it at once leaves an answer", async () => {
    const checkpoint = await checkpointThat("closes", "<think>\n\n</think>\n\n");
    expect(await judge(checkpoint, "jsonl")).toMatch(/^base +\d +\d +0$/m);
  });
});
