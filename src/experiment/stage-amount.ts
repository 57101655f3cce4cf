/** @file How much a stage has to do, before it is done: tokens, arithmetic and disk, at most. */
import { blockFlops, type CheckpointSize, featureFlops } from "../engine/checkpoint-size.ts";
import {
  ALONG_RUN,
  defaultSketch,
  FEATURE_KINDS,
  type FeatureKind,
  ONE_VECTOR,
} from "../engine/features.ts";
import type { Message } from "../format/messages.ts";
import { createRenderer, type PromptRenderer } from "../model/prompt-renderer.ts";
import { tokenizeResponses } from "../pairs/tokenize-sides.ts";
import { layersOf } from "./open-inputs.ts";
import type { Planned } from "./plan-inputs.ts";
import { warmupSettings } from "./section-settings.ts";
import type { Stage } from "./stage.ts";

/** What a stage takes at most; flops as costs count them. */
export interface StageAmount {
  readonly tokens: number;
  readonly flops: number;
  /** On the disk while it is at work. */
  readonly bytes: number;
}

/** What the pairs are, as far as amounts depend on it. */
export interface PairAmounts {
  readonly pairs: number;
  /** Prompt and both responses; the mean of the first pairs. */
  readonly tokensPerPair: number;
  /** Of a prompt that is sampled from, generation prompt included; 0 for one that the template refuses. */
  readonly promptTokens: (prompt: readonly Message[]) => number;
}

/** Pairs whose tokens are counted. */
const SAMPLE = 64;

/** Counts all pairs, and the tokens of the first ones. */
export async function measurePairs(
  { experiment, inputs }: Planned,
  signal: AbortSignal | undefined,
): Promise<PairAmounts> {
  const renderer = await createRenderer(inputs.before.folder, experiment.checkpoints);
  let [pairs, sampled, tokens] = [0, 0, 0];
  for await (const row of inputs.pairs.read({ signal })) {
    if (row.kind !== "pair") continue;
    pairs++;
    if (sampled === SAMPLE) continue;
    const { prompt, chosen, rejected, context } = row;
    const sides = { prompt, responses: [chosen, rejected], context };
    const found = tokenizeResponses(renderer, sides, Number.MAX_SAFE_INTEGER);
    if (found.kind === "unusable") continue;
    sampled++;
    tokens += found.example.prompt.length;
    for (const response of found.example.responses) tokens += response.length;
  }
  return {
    pairs,
    tokensPerPair: sampled === 0 ? 0 : tokens / sampled,
    promptTokens: promptCounter(renderer),
  };
}

function promptCounter(renderer: PromptRenderer): PairAmounts["promptTokens"] {
  const known = new Map<string, number>();
  const most = Number.MAX_SAFE_INTEGER;
  return (prompt) => {
    const key = JSON.stringify(prompt);
    const before = known.get(key);
    if (before !== undefined) return before;
    const found = tokenizeResponses(renderer, { prompt, responses: [], context: undefined }, most);
    const count = found.kind === "unusable" ? 0 : found.example.prompt.length;
    known.set(key, count);
    return count;
  };
}

/** Undefined for stages of which nothing is known before they run. */
export function amountOf(
  planned: Planned,
  stage: Stage,
  amounts: PairAmounts,
): StageAmount | undefined {
  const { size } = planned.inputs.before;
  if (stage.kind === "embed") return embedAmount(planned, stage, amounts);
  if (stage.kind === "train" || stage.kind === "retrain") {
    return trainAmount(planned, planned.experiment.train!, amounts); // who trains has it
  }
  if (stage.kind === "warmup") {
    const settings = warmupSettings(planned.experiment);
    return trainAmount(planned, settings, { ...amounts, pairs: sampledPairs(settings, amounts) });
  }
  if (stage.responses === undefined) return undefined;
  const { maxTokens } = planned.experiment.generate;
  let tokens = 0;
  for (const prompt of stage.responses()) tokens += amounts.promptTokens(prompt) + maxTokens;
  return { tokens, flops: tokens * wholeFlops(size), bytes: tokens * BYTES_PER_TOKEN };
}

/** Of a response's text and its place in a file of rollouts. */
const BYTES_PER_TOKEN = 8;

/** Of a token on its way through all blocks and the output matrix. */
const wholeFlops = (size: CheckpointSize): number =>
  blockFlops(size, size.layerCount) + 2 * size.headParameters;

function embedAmount(planned: Planned, { name }: Stage, amounts: PairAmounts): StageAmount {
  const { experiment, inputs } = planned;
  const { pairs, tokensPerPair } = amounts;
  const { size } = inputs.before;
  const kind: FeatureKind = FEATURE_KINDS.find((each) => each === name) ?? "states";
  const layers = ALONG_RUN.has(kind)
    ? Array.from({ length: keptStates(planned, amounts) }, (_, state) => state)
    : ONE_VECTOR.has(kind)
      ? [0]
      : layersOf(experiment, inputs);
  const { sketch, dtype } = experiment.embed;
  const dims = kind === "states" ? size.dim : (sketch ?? defaultSketch(kind, size));
  const tokens = pairs * tokensPerPair;
  return {
    tokens,
    flops: tokens * featureFlops(size, kind, layers),
    bytes: pairs * layers.length * dims * (dtype === "F16" ? 2 : 4),
  };
}

/** Bytes of a weight in F32, and of what Adam and a state to resume from hold of it besides. */
const WEIGHT_BYTES = 4;
const STATE_BYTES = 12;

type TrainedHow = Pick<
  ReturnType<typeof warmupSettings>,
  "epochs" | "maxSteps" | "batchSize" | "lora" | "method"
>;

function sampledPairs(
  { sample }: Pick<ReturnType<typeof warmupSettings>, "sample">,
  { pairs }: PairAmounts,
): number {
  if (sample === undefined) return pairs;
  return "count" in sample ? sample.count : sample.share * pairs;
}

/** States that a warm-up keeps: one an epoch, or as often as it says. */
function keptStates(planned: Planned, amounts: PairAmounts): number {
  const settings = warmupSettings(planned.experiment);
  const perEpoch = Math.ceil(sampledPairs(settings, amounts) / settings.batchSize);
  const steps = Math.min(settings.maxSteps ?? Infinity, perEpoch * settings.epochs);
  return Math.ceil(steps / (settings.saveEvery ?? perEpoch));
}

/** An edit may leave fewer pairs. */
function trainAmount(
  { inputs }: Planned,
  { epochs, maxSteps = Infinity, batchSize, lora, method }: TrainedHow,
  { pairs, tokensPerPair }: PairAmounts,
): StageAmount {
  const { size } = inputs.before;
  const seen = Math.min(pairs * epochs, maxSteps * batchSize) * tokensPerPair;
  // Forward and twice as much backward; DPO's reference is one more way forward.
  const references = method === "dpo" ? Math.min(seen, pairs * tokensPerPair) : 0;
  const weights = size.layerCount * size.blockParameters + size.headParameters;
  return {
    tokens: seen + references,
    flops: (3 * seen + references) * wholeFlops(size),
    bytes: lora === undefined ? weights * (WEIGHT_BYTES + STATE_BYTES) : 0,
  };
}
