import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import { suiteFolder } from "../../test/support/suite-folder.ts";
import { makeTinyCheckpoint } from "../../test/support/tiny-checkpoint.ts";
import { openLocalEngine } from "./local-engine.ts";
import { openLocalTrainer } from "./local-trainer.ts";
import type { TrainerSettings } from "./trainer.ts";

const ROOT = suiteFolder();
const SETTINGS: TrainerSettings = {
  objective: { kind: "sft" },
  adaptation: { kind: "full" },
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0,
  maxGradNorm: 1,
  seed: 1,
};
const EXAMPLE = { prompt: Int32Array.of(3, 4), responses: [Int32Array.of(5, 6, 7)] };

it("a head of its own under a config that ties is trained and saved as one, and the config says so then", async () => {
  // The weights are made untied, and the config tells otherwise afterwards.
  const dir = await makeTinyCheckpoint(join(ROOT, "start"));
  const path = join(dir, "config.json");
  const config = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
  await writeFile(path, JSON.stringify({ ...config, tie_word_embeddings: true }));
  const out = join(ROOT, "trained");
  await mkdir(out);
  {
    await using trainer = await openLocalTrainer(dir, SETTINGS, { threads: 1 });
    await trainer.step([EXAMPLE], 1e-3);
    await trainer.save(out, "F32");
  }
  const saved = JSON.parse(await readFile(join(out, "config.json"), "utf8")) as object;
  expect(saved).toMatchObject({ tie_word_embeddings: false });
  await using engine = await openLocalEngine(out, { threads: 1 });
  for await (const { logprobs } of engine.logprobs([EXAMPLE])) {
    expect(logprobs[0]).toBeLessThan(0);
  }
});
