import type { CheckpointSize } from "../engine/checkpoint-size.ts";
import type { ResolveRemote } from "../pairs/expand-patterns.ts";
import type { PairSet } from "../pairs/open-pairs.ts";
import type { ScenarioSet } from "../rollouts/scenarios.ts";
import type { JobOptions } from "../util/progress.ts";
import type { JudgeInput } from "./judge-input.ts";
import type { EndpointInput } from "./open-asker.ts";

/** A checkpoint that the experiment starts from. */
export interface CheckpointInput {
  readonly folder: string;
  readonly hash: string;
  readonly size: CheckpointSize;
}

/** A file that a stage reads, by its content. */
export interface FileInput {
  readonly path: string;
  readonly sha256: string;
}

/** Everything from outside that the stages read. */
export interface ExperimentInputs {
  readonly before: CheckpointInput;
  readonly after: CheckpointInput | undefined;
  /** Where a given checkpoint is served, and sampled there. */
  readonly endpoints: {
    readonly before?: EndpointInput | undefined;
    readonly after?: EndpointInput;
  };
  /** Without the column that says which are planted. */
  readonly pairs: PairSet;
  /** Ids of the planted pairs, in the order of the data; undefined where nobody knows. */
  readonly planted: readonly string[] | undefined;
  readonly responses: FileInput | undefined;
  /** Response pairs of unrelated behaviours, in the order of `attribution.nulls`; undefined for drift. */
  readonly nulls: readonly (FileInput | undefined)[];
  readonly judge: JudgeInput | undefined;
  /** By the id of the judge stage whose rollouts they are of. */
  readonly labels: Readonly<Record<string, FileInput>>;
  readonly probe: ScenarioSet | undefined;
  readonly evaluation: ScenarioSet | undefined;
  readonly capabilities: {
    readonly pairs: PairSet | undefined;
    readonly answers: FileInput | undefined;
    readonly tasks: FileInput | undefined;
    readonly overRefusal: FileInput | undefined;
  };
}

export interface OpenInputsOptions {
  readonly resolveRemote?: ResolveRemote | undefined;
  /** Shows the download of `hf://` checkpoints. */
  readonly download?: JobOptions | undefined;
  readonly signal?: AbortSignal | undefined;
}
