/** @file What a stage of an experiment is: a function from settings and inputs to the files of its folder. */
import type { CostMeter } from "../engine/cost.ts";
import type { EngineHost } from "../engine/engine-host.ts";
import type { Message } from "../format/messages.ts";
import { ConfigError } from "../util/errors.ts";
import { nearest } from "../util/nearest.ts";
import type { Progress } from "../util/progress.ts";

/**
 * The kinds of stages, in the order of the work: verbs, and those that are done again to measure. `--until` takes these names, and those
 * of further verbs.
 */
export const STAGE_KINDS = [
  "audit",
  "train",
  "warmup",
  "membership",
  "generate",
  "judge",
  "agreement",
  "conditions",
  "behavior",
  "embed",
  "rank",
  "quality",
  "discover",
  "steer",
  "edit",
  "retrain",
  "evaluation-generate",
  "evaluation-judge",
  "evaluation-agreement",
  "capabilities",
  "evaluate",
] as const;

/** What a stage reads: the files of an earlier stage, or something outside of which only the content counts. */
export type StageInput = { readonly stage: string } | { readonly content: string };

/**
 * A stage. Its folder's name holds the hash of `kind`, `version`, `settings` and the content of all inputs, and of nothing else: so what
 * `run` writes into files that count may depend on nothing else either (no clock, no absolute path, no name of an output folder).
 */
export interface Stage {
  /** A verb's name, or one of STAGE_KINDS. */
  readonly kind: string;
  /** Tells stages of one kind apart, `probe-filter-240-seed1`; unique within the kind, empty where there is one. */
  readonly name: string;
  /** Raised when the same settings and inputs give other files than before. */
  readonly version: number;
  /** Plain data. */
  readonly settings: unknown;
  readonly inputs: Readonly<Record<string, StageInput>>;
  /** Stages (ids) that end before this one begins although it reads nothing of theirs: what they leave behind it finds in the cache. */
  readonly after?: readonly string[] | undefined;
  /** Files and folders beneath the stage's own that do not count as its result: times, states to resume from. */
  readonly asides?: readonly string[] | undefined;
  /** True: started again over what a killed run left, it goes on from there. Else the folder is emptied first. Default false. */
  readonly canResume?: boolean | undefined;
  /** Gives back what it found, for people; nothing where there is nothing to show. */
  run(work: StageWork): Promise<string | void>;
  /** Of a stage that samples on this machine: the prompt of each response, at most. */
  readonly responses?: (() => Iterable<readonly Message[]>) | undefined;
  /** Of a stage that asks an endpoint, and of no other: what it would take, asking nothing. */
  readonly estimate?: ((place: EstimatePlace) => Promise<AskingEstimate>) | undefined;
}

/** Where an estimate finds what is there already. */
export interface EstimatePlace extends Pick<StageWork, "cache" | "isForced"> {
  /** The folder of an input that is a stage; undefined where that is not done. */
  readonly input: (name: string) => string | undefined;
}

/** What asking an endpoint would take at most, repeated requests aside. */
export interface AskingEstimate {
  readonly requests: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Undefined without prices. */
  readonly money: number | undefined;
  /** Whether what is asked about is there; else its length is estimated too. */
  readonly isSampled: boolean;
}

/** What a running stage may use. */
export interface StageWork {
  /** The stage's folder; it exists. */
  readonly directory: string;
  /** The folder of an input that is a stage. */
  readonly input: (name: string) => string;
  /** A folder that stages share and that may be deleted at any time: what is kept there is found by its content. */
  readonly cache: string;
  /** Made again although it may be done: what has no usable answer is asked again. */
  readonly isForced: boolean;
  /** Where checkpoints may run; default: all engines that there are. */
  readonly engines?: readonly EngineHost[] | undefined;
  readonly signal: AbortSignal | undefined;
  /** A progress display for one part of the work; `unit` is plural. */
  readonly progress: (unit: string) => Progress;
  readonly cost: CostMeter;
}

/** `kind` or `kind-name`: what people see, and the beginning of the folder's name. */
export function stageId(stage: Pick<Stage, "kind" | "name">): string {
  return stage.name === "" ? stage.kind : `${stage.kind}-${stage.name}`;
}

/** The ids of the stages that `names`, ids or kinds, mean. `setting` has the names. Throws ConfigError where one means none. */
export function namedStages(
  stages: readonly Stage[],
  names: readonly string[],
  setting: string,
): ReadonlySet<string> {
  const ids = stages.map(stageId);
  for (const name of names) {
    if (!stages.some((stage) => stage.kind === name) && !ids.includes(name)) {
      const near = nearest(name, [...ids, ...stages.map(({ kind }) => kind)]);
      const meant = near === undefined ? "" : `Did you mean ${near}? `;
      throw new ConfigError(`${setting}: expected stages of this experiment, got ${name}`, {
        hint: `${meant}They are ${ids.join(", ")}.`,
      });
    }
  }
  return new Set(
    stages
      .filter((stage) => names.includes(stage.kind) || names.includes(stageId(stage)))
      .map(stageId),
  );
}

/**
 * The stages that those of a kind or id, and what they read, are made of, in order; all of them where `until` is undefined. What the
 * audit finds about the pairs is always among them: it is cheap, and says what the rest is worth. Throws ConfigError for a name of none.
 */
export function stagesUntil(stages: readonly Stage[], until: string | undefined): readonly Stage[] {
  if (until === undefined) return stages;
  const needed = new Set(namedStages(stages, [until], "until"));
  // Inputs stand before what reads them.
  for (const stage of stages.toReversed()) {
    if (!needed.has(stageId(stage))) continue;
    for (const input of Object.values(stage.inputs)) if ("stage" in input) needed.add(input.stage);
  }
  return stages.filter((stage) => stage.kind === "audit" || needed.has(stageId(stage)));
}
