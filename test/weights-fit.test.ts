import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import { openEngine } from "../src/engine/local-host.ts";
import { temporaryFolder } from "./support/data-files.ts";
import { makeTinyCheckpoint, type TinyFamily } from "./support/tiny-checkpoint.ts";

async function refusal(family: TinyFamily, changes: object): Promise<unknown> {
  const dir = await temporaryFolder();
  await makeTinyCheckpoint(dir, { family });
  const path = join(dir, "config.json");
  const config = JSON.parse(await readFile(path, "utf8")) as object;
  await writeFile(path, JSON.stringify({ ...config, ...changes }));
  return openEngine(dir).then(
    () => undefined,
    (error: unknown) => error,
  );
}

it.each([
  [
    "biases that the family does not read",
    "qwen2",
    { model_type: "llama", use_sliding_window: undefined, max_window_layers: undefined },
    /the weights have "model\.layers\.0\.self_attn\.[kqv]_proj\.bias"/,
  ],
  [
    "more blocks than the config",
    "llama",
    { num_hidden_layers: 2 },
    /the weights have "model\.layers\.2\..*2 blocks/,
  ],
  ["fewer blocks than the config", "llama", { num_hidden_layers: 4 }, /model\.layers\.3\./],
] as const)(
  "a checkpoint whose weights have %s is refused",
  async (_, family, changes, message) => {
    expect(await refusal(family, changes)).toMatchObject({
      name: "FormatError",
      message: expect.stringMatching(message) as string,
    });
  },
);
