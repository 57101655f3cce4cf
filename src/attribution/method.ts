/**
 * @file What an attribution method is: from preference pairs, and whatever else it names, to a score for each pair. A method is one file in
 * methods/ and one line in METHODS; rankings, quality, edits and experiments take any.
 */
import { z } from "zod";

import type { StoredBehavior } from "../behavior/behavior-file.ts";
import type { PaidAsking } from "../endpoint/paid-asking.ts";
import { FEATURE_KINDS, type FeatureKind } from "../engine/features.ts";
import type { JudgeUsage } from "../judge/llm-judge-options.ts";
import type { PairSet } from "../pairs/open-pairs.ts";
import type { ResponsePairs } from "../pairs/response-pairs.ts";
import type { EstimateOptions, RequestsEstimate } from "../rollouts/estimate-rollouts.ts";
import type { Rollout } from "../rollouts/rollouts.ts";
import type { VectorStore } from "../store/open-store.ts";
import type { Plain } from "../util/artifact.ts";
import type { JobOptions } from "../util/progress.ts";
import type { LowNorm } from "./low-norm.ts";
import type { NullComparison } from "./null-comparison.ts";
import type { PairRows } from "./pair-rows.ts";
import type { ScoringModel } from "./scoring-model.ts";

/** What methods read, by the names under which they need it. */
export interface Sources {
  /** Datapoint vectors of the pairs. */
  readonly store: VectorStore;
  readonly behavior: {
    readonly wanted: readonly ScoredBehavior[];
    /** Unrelated behaviours of the same checkpoint, as a second null. */
    readonly unrelated: readonly ScoredBehavior[];
  };
  /** The text of the pairs. */
  readonly pairs: Pick<PairSet, "read">;
  /** The response pairs that the behaviour was made of. */
  readonly responses: Pick<ResponsePairs, "pairs">;
  /** The checkpoint before training. */
  readonly checkpoint: ScoringModel;
  /** The checkpoint after. */
  readonly trained: ScoringModel;
  /** Answers of the checkpoint before to the pairs' prompts. */
  readonly rollouts: OwnAnswers;
  /** A model that is served elsewhere. */
  readonly endpoint: PaidAsking;
}
export type Need = keyof Sources;

/** Rollouts of a checkpoint. */
export interface OwnAnswers {
  /** Their file, for messages. */
  readonly path: string;
  /** Of the checkpoint that was sampled; undefined where nobody noted it. */
  readonly checkpointHash?: string | undefined;
  read(job: Pick<JobOptions, "signal">): AsyncIterable<Pick<Rollout, "prompt" | "response">>;
}

const traitsSchema = z.strictObject({
  /** They lie within [-1, 1]. */
  isBounded: z.boolean(),
  /** What they are held to: directions of random signs, banks like the behaviour's own, or nothing. */
  null: z.enum(["signs", "banks", "none"]),
  /** Whether scores and null tell concentrated from diffuse from nothing. */
  hasVerdict: z.boolean(),
  /** There is a ranking for each layer. */
  hasLayer: z.boolean(),
});
/** What is so of all scores that a method gives with some settings. */
export type MethodTraits = Plain<typeof traitsSchema>;

const descriptionSchema = z.strictObject({
  /** From a pair to its score, one clause: `cos(v, v_d)`. */
  formula: z.string(),
  /** Of what its vectors are, where they are not of states. */
  features: z.enum(FEATURE_KINDS).optional(),
  traits: traitsSchema,
  /** Why there is no verdict although there is a null, one clause. */
  noVerdict: z.string().optional(),
});
/** What a method is with some settings. */
export type MethodDescription = Plain<typeof descriptionSchema>;

export interface AttributionMethod<
  N extends Need = Need,
  S extends z.ZodObject = z.ZodObject,
  U extends Need = Need,
> {
  readonly name: string;
  /** What a high score means, one sentence. */
  readonly meaning: string;
  /** Each with its range, its default and one sentence. */
  readonly settings: S;
  readonly needs: readonly N[];
  /** What it reads where it is there, and does without where it is not. */
  readonly uses?: readonly U[] | undefined;
  /** Of what it uses, those of which it takes one, and cannot do without. */
  readonly oneOf?: readonly U[] | undefined;
  /** Whether it trains the checkpoint on the way, which not every engine does. */
  readonly trains?: boolean | undefined;
  /** What an endpoint has to serve for it. Default: chats. */
  readonly serves?: "embeddings" | undefined;
  /** The features that store and behaviours must have; absent: of those methods that read a store, states. */
  readonly features?: FeatureKind | undefined;
  /** The features of behaviours, where others than the store's. */
  readonly behaviorFeatures?: FeatureKind | undefined;
  describe(settings: z.output<S>): MethodDescription;
  /** A setting without which it cannot score and that has no default; undefined where there is none. */
  lacks?(settings: z.output<S>): LackingSetting | undefined;
  /** What asking an endpoint for the scores would take; of methods that ask one. */
  estimate?(
    task: AskedTask,
    settings: z.output<S>,
    how: AskingEstimateOptions,
  ): Promise<RequestsEstimate>;
  /** The scores of all rows, for each behaviour and layer where the method has those. Throws ConfigError for settings that do not fit. */
  score(
    task: MethodTask<N, U>,
    settings: z.output<S>,
    work: MethodWork,
  ): Promise<readonly Scored[]>;
}

/** What questions to an endpoint are made of. */
export type AskedTask = Pick<MethodTask<"pairs", "responses">, "rows" | "pairs" | "responses">;

/** Who would be asked, and what is known of its answers; the endpoint of the task itself is not there. */
export type AskingEstimateOptions = EstimateOptions & Pick<JobOptions, "signal">;

export interface LackingSetting {
  readonly setting: string;
  /** `expected …, got none`. */
  readonly message: string;
}

/** Types a method by what stands in it. */
export function defineMethod<N extends Need, S extends z.ZodObject, U extends Need>(
  method: AttributionMethod<N, S, U>,
): AttributionMethod<N, S, U> {
  return method;
}

/** What is scored. */
export type MethodTask<N extends Need = never, U extends Need = never> = Pick<Sources, N> & {
  readonly [K in U]?: Sources[K] | undefined;
} & {
  /** The pairs, N rows; text comes from `pairs`, in any order and with pairs that are no rows. */
  readonly rows: PairRows;
  /** Layers to rank at, or the one chosen for each behaviour; undefined: every layer that there is. */
  readonly layers?: readonly number[] | "auto" | undefined;
};

export interface MethodWork extends JobOptions {
  /** Threads of the arithmetic; default: one for each core. */
  readonly threads?: number | undefined;
  /** A folder where methods keep by its content what takes long to make. Default: nothing is kept. */
  readonly cache?: string | undefined;
  /** Adds to what the scores cost. */
  readonly count: (used: Partial<Omit<MethodCost, "seconds">>) => void;
}

/** What making scores took; the making of what it reads (a vector store, say) not counted. */
export interface MethodCost {
  readonly seconds: number;
  /** Through a model. */
  readonly tokens: number;
  /** Floating-point operations of models and of products with vectors. */
  readonly flops: number;
  /** Paid to endpoints. */
  readonly money: number;
  /** Of vectors, gradients and the like, read. */
  readonly bytes: number;
}

/** Scores of all rows as a method gives them, for one behaviour and layer; N rows. */
export interface Scored {
  /** Of methods that know behaviours. */
  readonly behavior?: string | undefined;
  /** Of methods that have layers. */
  readonly layer?: number | undefined;
  /** Higher is more responsible; NaN where a pair has none, [N]. */
  readonly scores: Float32Array;
  /** Why rows have no score, a clause, by row; as far as it is known. */
  readonly causes?: ReadonlyMap<number, string> | undefined;
  /** What the method has to say of itself, sentences. */
  readonly remarks?: readonly string[] | undefined;
  /** Of these, what must be known before the scores are trusted. */
  readonly warnings?: readonly string[] | undefined;
  /** What an endpoint was asked for them. */
  readonly usage?: Readonly<JudgeUsage> | undefined;
  /** Numbers behind the remarks, by name. */
  readonly figures?: Readonly<Record<string, number>> | undefined;
  /** What of the behaviour decided the score, an index of `winnerNames`, -1 for nothing, [N]. */
  readonly winners?: Int32Array | undefined;
  readonly winnerNames?: readonly string[] | undefined;
  readonly null?: NullComparison | undefined;
  /** The same rows scored by unrelated behaviours. */
  readonly unrelated?: readonly UnrelatedScores[] | undefined;
  /** Why the scores are evidence of nothing, the behaviour's vector not being stable say; undefined where nothing is known against them. */
  readonly doubt?: string | undefined;
  /** Of methods that score vectors. */
  readonly vectors?: VectorLengths | undefined;
}

/** What an unrelated behaviour makes of the same pairs. */
export interface UnrelatedScores extends Pick<Scored, "scores" | "null" | "doubt"> {
  readonly behavior: string;
  /** Between its direction and that of the behaviour. */
  readonly cosine: number;
}

/** The lengths of the vectors that were scored. */
export interface VectorLengths {
  /** ‖v_d‖ before rounding to the store's dtype, [N]. */
  readonly norms: Float32Array;
  readonly lowNorm: LowNorm;
}

/** Scores with all that is to be known of them. */
export interface PairScores extends Scored {
  readonly method: UsedMethod;
  /** Of the rows, [N], each once. */
  readonly ids: readonly string[];
  /** Of all scores that one call gave, together. */
  readonly cost: MethodCost;
  /** Where not all rows were to be scored: the others have no score. */
  readonly candidates?: Candidates | undefined;
}

/** The rows that were to be scored: those at the top of another ranking. */
export interface Candidates {
  /** The method of that ranking, as far as its file says. */
  readonly method?: string | undefined;
  /** How many. */
  readonly top: number;
  /** 1 for those, [N]. */
  readonly isCandidate: Uint8Array;
}

export const usedMethodSchema = z.strictObject({
  /** What files and tables call it: the method's name, or what the user calls one of several uses. */
  name: z.string(),
  /** With defaults filled in. */
  settings: z.record(z.string(), z.unknown()),
  ...descriptionSchema.shape,
});

/** How scores were made. */
export type UsedMethod = z.output<typeof usedMethodSchema>;

/** What scoring needs of a behaviour. */
export type ScoredBehavior = Pick<
  StoredBehavior,
  "name" | "identity" | "dim" | "layers" | "directions" | "bank" | "scenarioIds" | "nullDirections"
> &
  /** For methods that add directions: how long the mean difference is. Absent: as long as the direction. */
  Partial<Pick<StoredBehavior, "lengths">> & {
    readonly head: Pick<StoredBehavior["head"], "doubts" | "layerChoice" | "features">;
  };
