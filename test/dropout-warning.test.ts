import { join } from "node:path";

import { expect, it } from "vitest";

import { openLocalTrainer } from "../src/engine/local-trainer.ts";
import type { TrainerSettings } from "../src/engine/trainer.ts";
import { suiteFolder } from "./support/suite-folder.ts";
import { makeTinyCheckpoint } from "./support/tiny-checkpoint.ts";

const SETTINGS: TrainerSettings = {
  objective: { kind: "dpo", beta: 0.5, lengthNormalized: false, labelSmoothing: 0 },
  adaptation: { kind: "full" },
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.01,
  maxGradNorm: 1,
  seed: 3,
};

it.each([
  [{ attention_dropout: 0.1 }, ["attention_dropout 0.1"]],
  [{ attention_dropout: 0 }, []],
])(
  "training says that it applies no dropout where the checkpoint asks for it: %j",
  async (config, said) => {
    const dir = await makeTinyCheckpoint(join(suiteFolder(), JSON.stringify(config)), { config });
    const lines: string[] = [];
    await using _trainer = await openLocalTrainer(dir, SETTINGS, {
      onWarning: (line) => void lines.push(line),
    });
    expect(
      lines.map((line) => /sets (.*); training here applies no dropout/.exec(line)?.[1]),
    ).toEqual(said);
  },
);
