/** @file What an experiment found, as plain data: `result.json`. Nothing in it depends on when or where it ran. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { EditAction, EditedGroup, EditPick } from "../edit/edit.ts";
import type { PlantedQuality } from "../ranking/ranking-quality.ts";
import type { RankReport } from "../ranking/ranking-report.ts";
import type { SignalVerdict, UnusedNull } from "../ranking/signal-verdict.ts";
import type { ConditionRates } from "../rates/condition-rates.ts";
import type { Evaluation } from "../rates/evaluation.ts";
import type { JudgeBesidePeople } from "../rates/judge-beside-people.ts";
import type { LayerTable } from "../steering/layer-table.ts";
import type { SteeringReport } from "../steering/steering-report.ts";
import { FormatError } from "../util/errors.ts";

/** File of the result, in its stage's folder and in the experiment's. */
export const RESULT_NAME = "result.json";
/** The same for people; the command line writes it beside the result. */
export const TABLE_NAME = "table.txt";

/** An arm of the experiment: what it edits, and why it was not trained where it was not. */
export interface ArmEdit {
  readonly arm: string;
  /** Whose ranking it follows. */
  readonly method: string;
  readonly action: EditAction;
  readonly pick: EditPick;
  readonly top: number;
  /** Pairs edited; random picks take as many in every seed. */
  readonly pairs: number;
  /** Groups with edited pairs, most first; of the first seed where they are random. */
  readonly groups: readonly EditedGroup[];
  /** Arms of as many random pairs that it is held to. */
  readonly controls: readonly string[];
  /** Why nothing was trained and measured; undefined where it was. */
  readonly skipped: string | undefined;
}

/** Scenarios by what the four-condition filter decided. */
export interface FilteredScenarios {
  readonly kept: number;
  readonly dropped: number;
  /** Rollouts or verdicts are missing that could decide it. */
  readonly unknown: number;
  readonly of: number;
  /** Missing verdicts in the four conditions, and how many by each cause. */
  readonly missing: number;
  readonly causes: Readonly<Record<string, number>>;
}

/** How the behaviour's vector came to be. */
export interface ProbeResult {
  readonly layer: number;
  readonly layerReason: string;
  readonly responsePairs: number;
  readonly prompts: number;
  /** Why the vector is not stable, which makes what follows evidence of nothing; undefined where it is. */
  readonly doubt: string | undefined;
  /** Directions of orthogonalTo that are not stable, so that much of them may be left, a line each; absent where there are none. */
  readonly nuisanceDoubts?: readonly string[] | undefined;
  /** What the four-condition filter made of the scenarios; undefined where the response pairs were given. */
  readonly scenarios: FilteredScenarios | undefined;
  /** How often both checkpoints show the behaviour on these scenarios; absent where the response pairs were given. */
  readonly rates?: ConditionRates | undefined;
  /** The strength of model-diff amplification with which the checkpoint after was sampled to find it; absent where it was not. */
  readonly amplify?: number | undefined;
}

/** What one attribution method found. */
export interface MethodResult {
  /** The method's name, or what `as` calls this use of it. */
  readonly name: string;
  /** From a pair to its score, one clause. */
  readonly formula: string;
  /** Pairs ranked. */
  readonly pairs: number;
  /** The stage that ranked: run.json has its time and what endpoints were paid. */
  readonly stage: string;
  /** What scoring took beside; the making of vectors not counted. */
  readonly cost: RankReport["cost"];
  /** What the scores say about editing; absent where they allow none. */
  readonly verdict?: SignalVerdict | undefined;
  /** Unrelated behaviours of attribution.nulls that the verdict could not be held to, and why; absent where there are none. */
  readonly skippedNulls?: readonly UnusedNull[] | undefined;
  /** How well the ranking finds the planted pairs; absent where nobody knows them. */
  readonly quality?: PlantedQuality | undefined;
}

/** The judge of a stage beside people. */
export interface StageAgreement extends JudgeBesidePeople {
  /** The id of the stage that judged. */
  readonly stage: string;
}

export interface ExperimentResult {
  readonly format: "culprit-result";
  readonly version: 1;
  readonly name: string;
  readonly behavior: string;
  readonly pairs: number;
  readonly probe: ProbeResult;
  /** What each method of attribution.methods found; edits follow the first unless they say otherwise. */
  readonly methods: readonly MethodResult[];
  /** What adding and projecting out the behaviour's direction does, beside random directions. */
  readonly steering?: readonly SteeringReport[] | undefined;
  /** What speaks for each layer, and which is chosen with steering; absent unless the direction was added at several layers. */
  readonly layerTable?: LayerTable | undefined;
  /** Where people labelled rollouts: how far the judge agrees with them, and its rates corrected. */
  readonly agreements?: readonly StageAgreement[] | undefined;
  /** The variant by whose rate arms are compared; undefined where nothing was measured. */
  readonly trigger: string | undefined;
  readonly seeds: readonly number[];
  readonly edits: readonly ArmEdit[];
  /** Rates and capabilities of every arm; undefined where nothing was measured. */
  readonly evaluation: Evaluation | undefined;
  /** What this means, a sentence each. */
  readonly conclusions: readonly string[];
}

/** Reads the result in an experiment's folder; undefined where there is none yet. */
export async function readResult(out: string): Promise<ExperimentResult | undefined> {
  const path = join(out, RESULT_NAME);
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const value = JSON.parse(text) as ExperimentResult; // our own file; its format is checked below
  if (value.format === "culprit-result") return value;
  throw new FormatError(`${path}: expected the result of an experiment, got something else`);
}
