/** @file The verbs over one checkpoint. Everything past this folder speaks to this interface, never to a runtime. */
import type { Message, RowContext } from "../format/messages.ts";
import type { Boundary } from "../model/prompt-renderer.ts";
import type { JobOptions } from "../util/progress.ts";
import type { Features, SketchedFeatures } from "./features.ts";
import type { GeneratedSample, GenerateOptions } from "./generation/generate-options.ts";
import type { Steering } from "./generation/steering.ts";
import type { Precision } from "./precision.ts";
import type { AlongRun } from "./training-states.ts";

/** What a checkpoint is, for manifests: two engines with equal identities give equal activations. */
export interface EngineIdentity {
  /** As the user named it: a folder or `hf://owner/name@revision`; for people, not compared. */
  readonly name: string;
  /** Hash over config and weights (adapters included). */
  readonly checkpointHash: string;
  readonly tokenizerHash: string;
  /** See PromptRenderer. */
  readonly templateHash: string;
  /** Where responses begin; absent: "text", as before there was a choice. */
  readonly boundary?: Boundary;
  readonly family: string;
  /** Number of blocks n; layers run from 0 (embedding output) to n (after the last block, before the final norm). */
  readonly layerCount: number;
  /** Width of the residual stream. */
  readonly dim: number;
  /** Tokens of a sequence at most, for embedding, sampling and training alike; see contextLength. */
  readonly maxPositions: number;
  /** How the weights are held; absent: F32. */
  readonly precision?: Exclude<Precision, "F32"> | undefined;
  /** What is read of a response, where that is not its states; `dim` is then featureDim of them. See withFeatures. */
  readonly features?: SketchedFeatures | undefined;
}

/** A prompt and what follows it, as token ids. */
export interface TokenizedExample {
  /** The rendered prompt, generation prompt included. */
  readonly prompt: Int32Array;
  /** For each response its tokens up to the end of the conversation; each non-empty. */
  readonly responses: readonly Int32Array[];
  /** See RenderedExample; absent in examples that no renderer made. */
  readonly lostPromptTokens?: number;
  readonly holdsMarks?: boolean;
  readonly hidden?: readonly string[];
}

/** The mean response activations of one example. */
export interface EmbeddedExample {
  /** Index into the examples given. */
  readonly index: number;
  /** One array per response, each [L, D] row by row in the order of `layers`: the mean over the response's tokens; D is featureDim. */
  readonly means: readonly Float32Array[];
}

/** The activations of one example's responses, token by token. */
export interface TokenActivations {
  /** Index into the examples given. */
  readonly index: number;
  /** One array per response, [T, D] row by row; their mean over T is what `embed` gives. */
  readonly activations: readonly Float32Array[];
}

/** How likely the responses of one example are. */
export interface ExampleLogprobs {
  /** Index into the examples given. */
  readonly index: number;
  /** Sum of the log-probabilities of each response's tokens, in nats. */
  readonly logprobs: readonly number[];
  /** Tokens of each response. */
  readonly tokenCounts: readonly number[];
}

/** The states that the tokens of one example's responses are predicted from. */
export interface PredictingStates {
  /** Index into the examples given. */
  readonly index: number;
  /** One array per response, [D]: the sum over its tokens of the state that the output matrix reads to predict each. */
  readonly sums: readonly Float32Array[];
  /** Tokens of each response. */
  readonly tokenCounts: readonly number[];
}

export interface LogprobOptions extends JobOptions {
  /**
   * Changes the residual stream where response tokens are predicted: the prompt's last token and those of the response, as generate
   * does. Default: none.
   */
  readonly steering?: Steering | undefined;
}

export interface EmbedOptions extends JobOptions {
  /** Residual-stream layers, each in [0, layerCount]; see EngineIdentity.layerCount. Of other features see expectLayers. */
  readonly layers: readonly number[];
  /** Default: states. */
  readonly features?: Features | undefined;
  /** For features along a training run, that run. */
  readonly along?: AlongRun | undefined;
  /**
   * Told of an example of which a number is not finite, and at which layer; its vectors are zeros then. For features other than states.
   * Default: such a number is an error.
   */
  readonly onNotFinite?: ((example: number, layer: number) => void) | undefined;
  /** For features of a concept, its direction [D], of length 1. */
  readonly direction?: Float32Array | undefined;
}

export interface TokenOptions extends JobOptions {
  /** See EngineIdentity.layerCount. */
  readonly layer: number;
}

/** The part of an engine that gives activations. */
export interface EmbeddingEngine {
  readonly identity: EngineIdentity;
  /**
   * Renders prompt and responses with the checkpoint's chat template and tokenises them; see PromptRenderer.tokenize. Each response is
   * the list of turns after the prompt.
   */
  tokenize(
    prompt: readonly Message[],
    responses: readonly (readonly Message[])[],
    context?: RowContext,
  ): TokenizedExample;
  /**
   * Mean residual stream over each response's tokens (method.md: ā_ℓ(p, r; M)), teacher-forced on prompt and response.
   * Examples come back as their batches finish, in any order, each once. Memory does not grow with the number of examples
   * beyond the token ids given. Of pairs along a training run (see AlongRun) the first response gets what the pair does and the second
   * zeros: their difference is the pair's as everywhere. Of a concept the first response, that before, gets zeros. Throws RuntimeError naming layer and example index where an activation is not finite.
   */
  embed(
    examples: readonly TokenizedExample[],
    options: EmbedOptions,
  ): AsyncIterable<EmbeddedExample>;
}

/** The part of an engine that samples responses. */
export interface GeneratingEngine {
  readonly identity: EngineIdentity;
  /** The tokens that end a response unless `generate` is given others. */
  readonly stopTokens: readonly number[];
  /** What the checkpoint's generation_config.json asks of sampling and `generate` does not do. Absent: nothing. */
  readonly unapplied?: readonly string[];
  /** Tokens of prompt and response together at most. */
  readonly contextLength: number;
  /** Renders a prompt with the checkpoint's chat template, generation prompt included, and tokenises it. */
  tokenizePrompt(prompt: readonly Message[]): Int32Array;
  /** The one token whose text this is. Throws ConfigError where there is none. */
  tokenId(text: string): number;
  /**
   * Whether the prompt, as the model sees it, ends within thinking: the generation prompt opened it and did not close it. Without a
   * chat template, whether the prompt ends in an opening mark; see format/thinking-marks.ts.
   */
  opensThinking(prompt: readonly Message[]): boolean;
  /** The text of tokens; special ones other than marks of thinking, and ids that have no text, are left out. */
  decode(tokens: Int32Array): string;
  /**
   * Samples responses to prompts (token ids). Samples come back as they end, in any order, each once. A sample's random numbers
   * follow from seed, prompt and sample number alone, steered and amplified ones too. Throws ConfigError where an option is out of
   * range (at once) or a prompt does not fit the context, RuntimeError where logits are not finite.
   */
  generate(
    prompts: readonly Int32Array[],
    options?: GenerateOptions,
  ): AsyncIterable<GeneratedSample>;
}

/** A checkpoint that can be asked. Holds the weights: dispose of it when done. */
export interface Engine extends EmbeddingEngine, GeneratingEngine, AsyncDisposable {
  /** A text as it is, special tokens in it read as such, with the tokens around texts and the end token; see PromptRenderer. */
  tokenizeText(text: string): Int32Array;
  /**
   * The residual stream at each token of the responses, teacher-forced, at one layer in [0, layerCount]. Examples come back as their
   * batches finish, in any order, each once. Throws RuntimeError naming layer and example index where an activation is not finite.
   */
  embedTokens(
    examples: readonly TokenizedExample[],
    options: TokenOptions,
  ): AsyncIterable<TokenActivations>;
  /**
   * How likely each response is after its prompt. Examples come back as their batches finish, in any order, each once. Throws
   * RuntimeError naming the example where a log-probability is not finite.
   */
  logprobs(
    examples: readonly TokenizedExample[],
    options?: LogprobOptions,
  ): AsyncIterable<ExampleLogprobs>;
  /**
   * The states behind the final norm that predict each response's tokens, one position earlier than they, summed (transformers'
   * `hidden_states[n]`). Examples come back as their batches finish, in any order, each once. Throws RuntimeError naming the example
   * where a sum is not finite.
   */
  predictingStates(
    examples: readonly TokenizedExample[],
    options?: JobOptions,
  ): AsyncIterable<PredictingStates>;
}
