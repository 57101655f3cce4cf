import { describe, expect, it } from "vitest";

import { runCommand } from "../../test/support/run-command.ts";

/** Files need not be there: words are looked at first. */
async function refusal(words: string): Promise<string> {
  const [name, ...rest] = words.split(" ");
  const error: unknown = await runCommand(name!, rest).catch((caught: unknown) => caught);
  return error instanceof Error ? error.message : "none";
}

describe("flags that would be passed over", () => {
  it.each([
    [
      "judge r --out v --rules refusal --base-url http://u/v1 --model m",
      "--base-url: expected rubric with it, got rules",
    ],
    [
      "judge r --out v --labels l --meaning b --threshold 3",
      "--threshold: expected rubric with it, got labels",
    ],
    ["judge r --rules refusal --dry-run", "--rubric: expected one to estimate, got none"],
    [
      "judge r --out v --rules refusal --meaning b",
      "--meaning: expected labels with it, got rules",
    ],
    ["judge r --out v", "--rules: expected one of rules, rubric and labels, got none"],
    [
      "generate p --out o.jsonl --base-url http://u --model m --device cpu",
      "--device: expected --checkpoint with it, got none",
    ],
    [
      "generate p --out o.jsonl --base-url http://u --model m --top-k 5",
      "--top-k: expected none beside --base-url, which does not take it",
    ],
    [
      "generate p --out o.jsonl --base-url http://u --model m --batch 8",
      "--batch: expected none beside --base-url, which does not take it",
    ],
    [
      "generate p --out o.jsonl --checkpoint c --attempts 2",
      "--attempts: expected --base-url with it, got none",
    ],
    [
      "generate p --out o.jsonl --checkpoint c --answers a",
      "--answers: expected none beside checkpoint: it belongs to --base-url",
    ],
    [
      "generate p --out o.jsonl --checkpoint c --base-url http://u --model m",
      "--checkpoint: expected it or --base-url, got both",
    ],
    ["generate p --out o.jsonl", "--checkpoint: expected it or --base-url, got neither"],
    [
      "steer s --checkpoint c --behavior b --mode add --out o --rules refusal --model m",
      "--model: expected --base-url with it, got none",
    ],
    [
      "steer s --checkpoint c --behavior b --mode add --out o --rules refusal --model m --base-url http://h",
      "--base-url: expected rubric with it, got rules",
    ],
    [
      "steer s --checkpoint c --behavior b --mode add --out o --rules refusal --answers a",
      "--answers: expected rubric with it, got rules",
    ],
    [
      "steer s --checkpoint c --behavior b --mode add --out o",
      "--rules: expected one of rules and rubric, got none",
    ],
    [
      "steer s --checkpoint c --behavior b --mode project-out --out o --rules refusal --grid 1",
      "--grid: expected mode add with it, got project-out",
    ],
    [
      "train p --checkpoint c --learning-rate 1 --out o --rank 4",
      "--rank: expected --lora with it, got none",
    ],
    [
      "train p --checkpoint c --learning-rate 1 --out o --method sft --length-normalized",
      "--length-normalized: expected method dpo with it, got sft",
    ],
    [
      "edit p --out o --action filter --top 3 --min-lift 2",
      "--min-lift: expected action drop-source with it, got filter",
    ],
    [
      "scenarios --scenarios p --out-probe a --out-evaluation b --per-base 2",
      "--per-base: expected composing with it, got a scenarios file to split",
    ],
    [
      "discover v --before b --after a --checkpoint c --out o --base-url http://u --model m --concurrency 2",
      "discover: unknown flag --concurrency",
    ],
    [
      "discover v --before b --after a --checkpoint c --out o --base-url http://u --model m --max-missing 0",
      "discover: unknown flag --max-missing",
    ],
    [
      "discover v --before b --after a --checkpoint c --out o --answers f",
      "--answers: expected --base-url with it, got none",
    ],
    [
      "discover v --before b --after a --checkpoint c --test-pairs 100 --matrix-pairs 200",
      "--matrix-pairs: expected at most --test-pairs, 100, got 200",
    ],
    ["audit p --template raw", "--template: expected --checkpoint with it, got none"],
  ])("%s", async (words, message) => {
    expect(await refusal(words)).toBe(message);
  });
});
