/** @file LoRA inside a graph: low-rank factors beside linear layers, whatever family built them. */
import { parameter, scalar, type Tensor } from "../tensor/graph.ts";
import { add, multiply } from "../tensor/ops/arithmetic.ts";
import { matMul } from "../tensor/ops/mat-mul.ts";
import { rewrite } from "../tensor/rewrite.ts";
import { TRANSPOSED } from "./layers.ts";

/** The factors of one linear layer: x·W becomes x·W + scale·(x·A)·B. */
export interface LoraFactors {
  /** The layer's path, `model.layers.0.self_attn.q_proj`. */
  readonly module: string;
  /** Parameter [in, rank]; PEFT stores it transposed. */
  readonly a: Tensor;
  /** Parameter [rank, out]; PEFT stores it transposed. */
  readonly b: Tensor;
}

/** Parameter names of a layer's factors; as in PEFT's files but for their prefix. */
export const loraAName = (module: string): string => `${module}.lora_A.weight${TRANSPOSED}`;
export const loraBName = (module: string): string => `${module}.lora_B.weight${TRANSPOSED}`;

const WEIGHT_END = `.weight${TRANSPOSED}`;
const BLOCK_WEIGHT = /^[^.]+\.layers\.\d+\./;

/**
 * Puts factors beside the linear layers of the blocks whose path is a target or ends in one; without targets, beside all of them.
 * The output matrix is never adapted.
 */
export function addLora(
  outputs: Readonly<Record<string, Tensor>>,
  { rank, scale, targets }: { rank: number; scale: number; targets: readonly string[] | undefined },
): {
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly factors: readonly LoraFactors[];
} {
  const factors = new Map<string, LoraFactors>();
  const isTarget = (module: string): boolean =>
    targets?.some((each) => module === each || module.endsWith(`.${each}`)) ??
    BLOCK_WEIGHT.test(`${module}.`);
  const adapted = rewrite(outputs, (value) => {
    const module = linearModule(value);
    if (module === undefined || !isTarget(module)) return undefined;
    const { x, inDim, outDim } = linearParts(value);
    const made = factors.get(module) ?? {
      module,
      a: parameter(loraAName(module), [inDim, rank]),
      b: parameter(loraBName(module), [rank, outDim]),
    };
    factors.set(module, made);
    // Scaled while it is small: [..., rank].
    return add(value, matMul(multiply(matMul(x, made.a), scalar(scale)), made.b));
  });
  return { outputs: adapted, factors: [...factors.values()] };
}

/** The paths of all linear layers of the blocks, for messages. */
export function linearModules(outputs: Readonly<Record<string, Tensor>>): readonly string[] {
  const modules = new Set<string>();
  rewrite(outputs, (value) => {
    const module = linearModule(value);
    if (module !== undefined) modules.add(module);
    return undefined;
  });
  return [...modules];
}

/** The path of the linear layer of a block whose product (before a bias) this is. */
function linearModule({ source }: Tensor): string | undefined {
  if (source.kind !== "op" || source.op.kind !== "matMul") return undefined;
  const weight = source.op.inputs[1]!.source; // matMul has two
  if (weight.kind !== "parameter" || !weight.name.endsWith(WEIGHT_END)) return undefined;
  const module = weight.name.slice(0, -WEIGHT_END.length);
  const isFactor = /\.lora_[AB]$/.test(module);
  return BLOCK_WEIGHT.test(weight.name) && !isFactor ? module : undefined;
}

function linearParts({ source }: Tensor): { x: Tensor; inDim: number; outDim: number } {
  if (source.kind !== "op") throw new Error("internal: a linear layer is an op");
  const [x, weight] = source.op.inputs as readonly [Tensor, Tensor]; // see linearModule
  const [inDim, outDim] = weight.shape as readonly [number, number]; // parameters have no named sizes
  return { x, inDim, outDim };
}
