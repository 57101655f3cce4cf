/**
 * @file A layer of many MLPs of which each token takes a few (Shazeer et al. 2017).
 *
 * Each expert runs over the rows that chose it and no others; how many those are is known only when the graph runs, and may be none.
 *
 * Shapes: N tokens of all rows together, E experts, D residual width, F inner width of an expert, n tokens that chose an expert.
 */
import { parameter, scalar, type Tensor } from "../tensor/graph.ts";
import { divide, multiply } from "../tensor/ops/arithmetic.ts";
import { sumTo } from "../tensor/ops/broadcast.ts";
import { concat } from "../tensor/ops/concat.ts";
import { flatten, unflatten } from "../tensor/ops/flatten.ts";
import { gather, scatterRows } from "../tensor/ops/gather.ts";
import { logSoftmax } from "../tensor/ops/log-softmax.ts";
import { matMul } from "../tensor/ops/mat-mul.ts";
import { markedRows, topMask } from "../tensor/ops/routing.ts";
import { slice } from "../tensor/ops/slice.ts";
import { exponential } from "../tensor/ops/unary.ts";
import { where } from "../tensor/ops/where.ts";
import type { ModelConfig } from "./model-config.ts";
import type { LoadedModel } from "./model-family.ts";

export interface ExpertsConfig extends ModelConfig {
  readonly expertCount: number;
  /** How many experts each token takes. */
  readonly chosenExperts: number;
  /** The weights of a token's experts are divided by their sum. */
  readonly isNormalised: boolean;
}

/**
 * The weighted sum of what a token's experts make of it, [..., D] to [..., D]. The router is `<prefix>.gate`, the experts are
 * `<prefix>.experts.<e>`. Matrices are used as they are stored, which also tells LoRA that these are no linear layers of PEFT's.
 */
export function mixtureOfExperts(
  x: Tensor,
  prefix: string,
  model: LoadedModel<ExpertsConfig>,
): Tensor {
  const rows = flatten(x, `${prefix}.tokens`); // [N, D]
  const { weights, isChosen } = route(rows, `${prefix}.gate`, model.config);
  const parts = Array.from({ length: model.config.expertCount }, (_, expert) => {
    const ids = markedRows(isChosen, expert, `${prefix}.tokens.${expert}`); // [n]
    const column = slice(weights, { axis: 1, start: expert, end: expert + 1 }); // [N, 1]
    const made = expertMlp(gather(rows, ids), `${prefix}.experts.${expert}`, model); // [n, D]
    return { ids, made: multiply(made, gather(column, ids)) };
  });
  const joined = `${prefix}.choices`;
  const sum = scatterRows(
    concat(
      parts.map(({ made }) => made),
      0,
      joined,
    ),
    concat(
      parts.map(({ ids }) => ids),
      0,
      joined,
    ),
    rows,
  );
  return unflatten(sum, x);
}

/** The probability of each token's chosen experts, 0 at the others: [N, E]. */
function route(
  rows: Tensor,
  name: string,
  { dim, expertCount, chosenExperts, isNormalised }: ExpertsConfig,
): { readonly weights: Tensor; readonly isChosen: Tensor } {
  const logits = matMul(rows, parameter(`${name}.weight`, [expertCount, dim]), {
    transposeB: true,
  });
  const probabilities = exponential(logSoftmax(logits));
  const isChosen = topMask(probabilities, chosenExperts);
  const chosen = where(isChosen, probabilities, scalar(0));
  const weights = isNormalised ? divide(chosen, sumTo(chosen, [rows.shape[0]!, 1])) : chosen;
  return { weights, isChosen };
}

function expertMlp(x: Tensor, prefix: string, { family, config }: LoadedModel): Tensor {
  const { dim, mlpDim } = config;
  const project = (y: Tensor, name: string, shape: readonly [number, number]): Tensor =>
    matMul(y, parameter(`${prefix}.${name}.weight`, shape), { transposeB: true });
  const gate = family.activation(project(x, "gate_proj", [mlpDim, dim]));
  return project(multiply(gate, project(x, "up_proj", [mlpDim, dim])), "down_proj", [dim, mlpDim]);
}
