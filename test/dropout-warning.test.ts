import { join } from "node:path";

import { expect, it } from "vitest";

import { openLocalTrainer } from "../src/engine/local-trainer.ts";
import { TRAINER_SETTINGS } from "./support/engine-contract.ts";
import { suiteFolder } from "./support/suite-folder.ts";
import { makeTinyCheckpoint } from "./support/tiny-checkpoint.ts";

it.each([
  [{ attention_dropout: 0.1 }, ["attention_dropout 0.1"]],
  [{ attention_dropout: 0 }, []],
])(
  "training says that it applies no dropout where the checkpoint asks for it: %j",
  async (config, said) => {
    const dir = await makeTinyCheckpoint(join(suiteFolder(), JSON.stringify(config)), { config });
    const lines: string[] = [];
    await using _trainer = await openLocalTrainer(dir, TRAINER_SETTINGS, {
      onWarning: (line) => void lines.push(line),
    });
    expect(
      lines.map((line) => /sets (.*); training here applies no dropout/.exec(line)?.[1]),
    ).toEqual(said);
  },
);
