/** @file A chat template that leaves out what rows say, as those of R1 distillates leave out thinking: embed, train and audit say so. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { runCli } from "./support/run-cli.ts";
import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";
import { makeTinyCheckpoint } from "./support/tiny-checkpoint.ts";

const folder = suiteFolder();
const TEMPLATE =
  "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content.split('</think>')[-1] }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
const pairs = join(folder, "pairs.jsonl");
writeFileSync(
  pairs,
  ["<think>They greet.</think>", "<think>Hm.</think>", ""]
    .map((thought, i) =>
      JSON.stringify({
        prompt: [{ role: "user", content: `hello ${i}` }],
        chosen: [{ role: "assistant", content: `${thought}yes` }],
        rejected: [{ role: "assistant", content: "no maybe" }],
      }),
    )
    .join("\n"),
);

const checkpoint = await makeTinyCheckpoint(join(folder, "model"));
const config = join(checkpoint, "tokenizer_config.json");
writeFileSync(
  config,
  JSON.stringify({ ...JSON.parse(readFileSync(config, "utf8")), chat_template: TEMPLATE }),
);

const SAID =
  /In 2 of 3 pairs the chat template shows only a part .*the text of the assistant turn 2 pairs/;

async function notes(verb: string, words: readonly string[]): Promise<string> {
  const lines: string[] = [];
  const printed = await runCommand(verb, words, (line) => void lines.push(line));
  return [printed, ...lines].join("\n");
}

describe("a template that leaves out thinking", () => {
  it.each([
    ["audit", [pairs, "--checkpoint", checkpoint]],
    ["embed", [pairs, "--checkpoint", checkpoint, "--layers", "2", "--out", join(folder, "v")]],
  ])("is told by %s", async (verb, words) => {
    expect(await notes(verb, words)).toMatch(SAID);
  });

  it("is told by train", async () => {
    const words = ["--checkpoint", checkpoint, "--out", join(folder, "t")];
    const { stderr } = await runCli(["train", pairs, ...words, "--learning-rate", "1e-6"]);
    expect(stderr).toMatch(SAID);
  });
});
