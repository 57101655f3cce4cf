import { gradients } from "../tensor/gradient.ts";
/** @file One run of training as a graph: token ids in, loss and gradients out. */
import { parameter, type Tensor } from "../tensor/graph.ts";
import { inOrder } from "../tensor/lower.ts";
import { sumTo } from "../tensor/ops/broadcast.ts";
import { matMul } from "../tensor/ops/mat-mul.ts";
import { addLora, type LoraFactors } from "./lora-graph.ts";
import type { LoadedModel } from "./model-family.ts";
import { pooledActivations } from "./pooled-activations.ts";
import {
  type PreferenceLoss,
  preferenceLoss,
  type PreferenceLossSettings,
  supervisedLoss,
} from "./preference-loss.ts";
import { type LogprobsGraph, responseLogprobs } from "./response-logprobs.ts";
import type { RopeScaling } from "./rope.ts";

export interface TrainingGraphSettings {
  readonly objective:
    | (PreferenceLossSettings & { readonly kind: "dpo" })
    | { readonly kind: "sft" }
    /** The sum of all responses' log-probabilities, which is nothing to minimise: for the gradients of single responses. */
    | { readonly kind: "log-probability" }
    /** The sum of all responses' projections on a direction: ⟨mean residual stream at a layer over the response's tokens, v⟩. */
    | { readonly kind: "projection"; readonly layer: number };
  /** Low-rank factors to train in place of the weights, which stay as they are. Default: every weight is trained. */
  readonly lora?:
    | {
        readonly rank: number;
        readonly scale: number;
        /** Ends of module paths; undefined: every linear layer of the blocks. */
        readonly targets: readonly string[] | undefined;
      }
    | undefined;
  /** Which parameters are trained, by name, of the weights or of LoRA's factors. Default: all. */
  readonly isTrained?: ((name: string) => boolean) | undefined;
}

export interface TrainingGraph {
  /**
   * `loss` [], but for projections `tokenLogprobs` [N] and `logprobs` [R], for DPO `rewards` [R] and `margins` [P], and `gradientName(p)` for every trained
   * parameter p, in its own shape. Inputs: those of responseLogprobs and of the loss. Projections have those of pooledActivations and
   * the parameter DIRECTION [D, 1], which is not trained.
   */
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** What is trained, in the graph's layout, in the order of first use; each name once. */
  readonly trained: readonly TrainedParameter[];
  /** LoRA's, empty without. */
  readonly factors: readonly LoraFactors[];
  /** The rope settings whose inverse frequencies each run must give, by input name. */
  readonly frequencyInputs: ReadonlyMap<string, RopeScaling>;
}

export interface TrainedParameter {
  /** The parameter's name; `.T` at its end says that a checkpoint stores it transposed. */
  readonly name: string;
  readonly shape: readonly number[];
}

/** Name of the output with the gradient of a parameter. */
export const gradientName = (name: string): string => `gradient:${name}`;

/** Names of Adam's running means of a parameter's gradient and of its square. */
export const firstMomentName = (name: string): string => `${name}:first-moment`;
export const secondMomentName = (name: string): string => `${name}:second-moment`;

/** Builds the graph of one training run. */
export function trainingGraph(
  model: LoadedModel,
  { objective, lora, isTrained = () => true }: TrainingGraphSettings,
): TrainingGraph {
  const { outputs: plain, frequencyInputs } =
    objective.kind === "projection"
      ? projectionSum(model, objective.layer)
      : responseLoss(model, objective);
  const adapted = lora === undefined ? { outputs: plain, factors: [] } : addLora(plain, lora);
  const all = parametersOf(adapted.outputs);
  const factorNames = new Set(adapted.factors.flatMap(({ a, b }) => [a, b]));
  const trained = all.filter(
    (each) =>
      nameOf(each) !== DIRECTION &&
      (lora === undefined || factorNames.has(each)) &&
      isTrained(nameOf(each)),
  );
  const found = gradients(adapted.outputs["loss"]!, trained);
  return {
    outputs: {
      ...adapted.outputs,
      ...Object.fromEntries(trained.map((each, i) => [gradientName(nameOf(each)), found[i]!])),
    },
    trained: trained.map((each) => ({
      name: nameOf(each),
      shape: each.shape as readonly number[], // parameters have no named sizes
    })),
    factors: adapted.factors,
    frequencyInputs,
  };
}

/** Name of the parameter that projections are on. */
export const DIRECTION = "projection:direction";

interface LossGraph {
  readonly outputs: Readonly<Record<string, Tensor>> & { readonly loss: Tensor };
  readonly frequencyInputs: ReadonlyMap<string, RopeScaling>;
}

function projectionSum(model: LoadedModel, layer: number): LossGraph {
  const { outputs, frequencyInputs } = pooledActivations(model, [layer]); // [B, R, D]
  const direction = parameter(DIRECTION, [model.config.dim, 1]);
  const pooled = outputs[`layer.${layer}`]!; // the layer asked for
  return { outputs: { loss: sumTo(matMul(pooled, direction), []) }, frequencyInputs };
}

type ResponseObjective = Exclude<
  TrainingGraphSettings["objective"],
  { readonly kind: "projection" }
>;

function responseLoss(model: LoadedModel, objective: ResponseObjective): LossGraph {
  const { tokenLogprobs, logprobs, frequencyInputs } = responseLogprobs(model);
  const { loss, ...metrics } = lossOf(objective, { tokenLogprobs, logprobs });
  return { outputs: { loss, tokenLogprobs, logprobs, ...metrics }, frequencyInputs };
}

function lossOf(
  objective: ResponseObjective,
  { tokenLogprobs, logprobs }: Pick<LogprobsGraph, "tokenLogprobs" | "logprobs">,
): Partial<PreferenceLoss> & Pick<PreferenceLoss, "loss"> {
  switch (objective.kind) {
    case "dpo":
      return preferenceLoss(logprobs, objective);
    case "sft":
      return { loss: supervisedLoss(tokenLogprobs) };
    case "log-probability":
      return { loss: sumTo(logprobs, []) };
  }
}

/** Every parameter that the outputs reach, each name once. */
function parametersOf(outputs: Readonly<Record<string, Tensor>>): readonly Tensor[] {
  const byName = new Map<string, Tensor>();
  for (const tensor of inOrder(Object.values(outputs))) {
    if (tensor.source.kind !== "parameter" || byName.has(tensor.source.name)) continue;
    byName.set(tensor.source.name, tensor);
  }
  return [...byName.values()];
}

function nameOf({ source }: Tensor): string {
  if (source.kind !== "parameter") throw new Error("internal: a parameter has a name");
  return source.name;
}
