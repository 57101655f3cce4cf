/**
 * @file The graph from token ids to the log-probabilities of responses.
 *
 * Rows are packed as in pooled-activations.ts. Logits are made for response tokens alone: each is predicted from the residual stream
 * of the token before it, the first of a response from the last of its prompt.
 *
 * Shapes: B rows, T tokens a row, N response tokens and R responses of all rows together, V tokens of the vocabulary.
 */
import { input, type Tensor } from "../tensor/graph.ts";
import { flatten } from "../tensor/ops/flatten.ts";
import { gather } from "../tensor/ops/gather.ts";
import { targetLogprobs } from "../tensor/ops/log-softmax.ts";
import { matMul } from "../tensor/ops/mat-mul.ts";
import { reshape } from "../tensor/ops/reshape.ts";
import type { LoadedModel } from "./model-family.ts";
import { outputState } from "./output-state.ts";
import { type ActivationsGraph, residualStream, type StreamOptions } from "./pooled-activations.ts";
import type { RopeScaling } from "./rope.ts";

/**
 * A graph with inputs `ids`, `positions`, `segments` [B, T] int32, one `frequencies.<i>` [B, r/2] a rope, and
 * `predictors` [N] int32, the place in the flattened rows (row · T + token) that predicts each response token;
 * `targets` [N] int32, the token predicted there; `responsePool` [R, N], 1 where a token belongs to a response.
 */
export interface LogprobsGraph {
  /** Log-probability of each response token in nats, [N]. */
  readonly tokenLogprobs: Tensor;
  /** Sum over each response's tokens, [R]. */
  readonly logprobs: Tensor;
  /** The rope settings whose inverse frequencies each run must give, by input name. */
  readonly frequencyInputs: ReadonlyMap<string, RopeScaling>;
}

/**
 * Builds the graph; the output matrix is a parameter as it is stored, [V, D]: the embedding table itself where the two are tied.
 * `residual` changes the residual stream on its way.
 */
export function responseLogprobs(
  model: LoadedModel,
  { residual }: Pick<StreamOptions, "residual"> = {},
): LogprobsGraph {
  const { logits, frequencyInputs } = predictions(model, { residual });
  const tokenLogprobs = targetLogprobs(logits, input("targets", "int32", ["N"]));
  const pool = input("responsePool", "float32", ["R", "N"]);
  const logprobs = reshape(matMul(pool, reshape(tokenLogprobs, ["N", 1])), ["R"]);
  return { tokenLogprobs, logprobs, frequencyInputs };
}

/** The same inputs but for `targets`, to the sum over each response's tokens of the state that the output matrix reads there, `sums` [R, D]. */
export function predictingStates(model: LoadedModel): ActivationsGraph {
  const { logits, frequencyInputs } = predictions(model);
  const pool = input("responsePool", "float32", ["R", "N"]);
  return { outputs: { sums: matMul(pool, outputState(logits)) }, frequencyInputs };
}

/** Logits [N, V] at the tokens that predict response tokens. */
function predictions(
  model: LoadedModel,
  options: Pick<StreamOptions, "residual"> = {},
): { readonly logits: Tensor; readonly frequencyInputs: ReadonlyMap<string, RopeScaling> } {
  const { stream, frequencyInputs } = residualStream(model, options);
  const predicting = gather(flatten(stream, "B·T"), input("predictors", "int32", ["N"])); // [N, D]
  const logits = model.family.head(predicting, model, { isStored: true });
  return { logits, frequencyInputs };
}
