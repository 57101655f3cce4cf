import { embed } from "../../verbs/embed.ts";
import { givenCheckpoint } from "../checkpoints.ts";
import type { ExperimentInputs } from "../experiment-inputs.ts";
import { boundPairs } from "../pair-inputs.ts";
import type { Experiment } from "../schema.ts";
import type { Stage } from "../stage.ts";
import { verbStage } from "../verb-stage.ts";

/** The vector store, a folder of its own: stores hold nothing else. */
export const STORE_NAME = embed.outputs.out.artifact.name;

/** The vector store of all pairs, read on the checkpoint before. */
export function embedStage(experiment: Experiment, inputs: ExperimentInputs): Stage {
  const { dtype, shardRows, maxTokens } = experiment.attribution;
  return verbStage(embed, {
    kind: "embed",
    settings: { layers: experiment.behavior.layers, dtype, shardRows, maxTokens },
    inputs: {
      pairs: boundPairs(inputs.pairs),
      checkpoint: givenCheckpoint(experiment, "before", inputs.before),
    },
  });
}
