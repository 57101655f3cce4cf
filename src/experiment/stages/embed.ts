import { join } from "node:path";

import { openEngine } from "../../engine/open-engine.ts";
import { embedPairs } from "../../store/embed-pairs.ts";
import { blockFlops, engineOptions } from "../checkpoint-input.ts";
import type { ExperimentInputs } from "../experiment-inputs.ts";
import type { Experiment } from "../schema.ts";
import type { Stage } from "../stage.ts";

/** The vector store, a folder of its own: stores hold nothing else. */
export const STORE_NAME = "vectors";

const DEFAULT_MAX_TOKENS = 2048;

/** The vector store of all pairs, read on the checkpoint before. */
export function embedStage(experiment: Experiment, inputs: ExperimentInputs): Stage {
  const { attribution, behavior, checkpoints, engine } = experiment;
  const { dtype, shardRows, maxTokens } = attribution;
  const { layers } = behavior;
  const { template } = checkpoints;
  const { before, pairs } = inputs;
  const { columns } = pairs;
  return {
    kind: "embed",
    name: "",
    version: 1,
    settings: { layers, template, dtype, shardRows, maxTokens, columns, engine },
    inputs: { before: { content: before.hash }, pairs: { content: pairs.contentHash } },
    asides: [`${STORE_NAME}/writer.lock`],
    canResume: true,
    run: async ({ directory, signal, progress, cost }) => {
      await using opened = await openEngine(before.folder, engineOptions(experiment, "before"));
      const result = await embedPairs(opened, pairs, join(directory, STORE_NAME), {
        layers,
        template,
        maxTokens: maxTokens ?? Math.min(DEFAULT_MAX_TOKENS, opened.identity.maxPositions),
        dtype,
        shardRows,
        progress: progress("pairs"),
        ...(signal === undefined ? {} : { signal }),
      });
      cost.add(result.tokens, blockFlops(before.size, Math.max(...layers)));
    },
  };
}
