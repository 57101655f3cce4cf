import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import { hashBytes } from "../util/hash.ts";
import type { RunFolder } from "./run-folder.ts";
import { commandsOf, shellWords, shownPath } from "./shown-command.ts";

const run = (
  experimentSha256: string,
  train: object,
  experimentFile = "/elsewhere/my file.yaml",
): RunFolder =>
  ({
    path: "culprit-out/mine",
    manifest: {
      experimentFile,
      experimentSha256,
      experiment: { train },
    },
  }) as unknown as RunFolder; // what a command is made of

it("makes a run again by the command that made it, of the demo by culprit demo", async () => {
  expect(await commandsOf(run("0", {}))).toEqual([
    "npx culprit run 'my file.yaml' --out culprit-out/mine",
    "npx culprit status culprit-out/mine",
    "npx culprit report culprit-out/mine --out report",
  ]);
  const hash = hashBytes(await readFile("examples/distractor.yaml"));
  const [one] = await commandsOf(run(hash, { seeds: [1] }));
  expect(one).toBe("npx culprit demo --organism distractor --out culprit-out/mine");
  const [three] = await commandsOf(run(hash, { seeds: [1, 2, 3] }));
  expect(three).toBe("npx culprit demo --organism distractor --seeds 3 --out culprit-out/mine");
  // The same file, named to culprit run.
  const [named] = await commandsOf(run(hash, { seeds: [1] }, "examples/distractor.yaml"));
  expect(named).toBe("npx culprit run examples/distractor.yaml --out culprit-out/mine");
});

it("tells of a path outside this folder the name alone, and quotes what a shell would read", () => {
  expect(shownPath("/elsewhere/secret/pairs.jsonl")).toBe("pairs.jsonl");
  expect(shownPath(join(process.cwd(), "data", "pairs.jsonl"))).toBe(join("data", "pairs.jsonl"));
  expect(shownPath("hf://owner/name")).toBe("hf://owner/name");
  expect(shellWords(["a b", "it's", "$(x)", "plain.txt"])).toBe(
    String.raw`'a b' 'it'\''s' '$(x)' plain.txt`,
  );
});
