import { ShapeError, UnsupportedError } from "../util/errors.ts";
import { scalar, type Tensor } from "./graph.ts";
import { inOrder } from "./lower.ts";
import { add } from "./ops/arithmetic.ts";
import { broadcastLike } from "./ops/broadcast.ts";
import { formatShape } from "./shape.ts";

/**
 * The gradients of a scalar loss with respect to the values `wrt` (parameters, inputs, or anything between), in their order, by
 * reverse mode: a value that is used several times gets the sum over its uses, and nothing is built for what leads to no `wrt`.
 * A value that the loss does not depend on gets zeros. Throws ShapeError where the loss is no float32 scalar, UnsupportedError where
 * the way to a value leads through a float op without a rule.
 */
export function gradients(loss: Tensor, wrt: readonly Tensor[]): readonly Tensor[] {
  if (loss.shape.length !== 0 || loss.dtype !== "float32") {
    throw new ShapeError(
      `gradients: expected a float32 scalar as loss, got ${loss.dtype} ${formatShape(loss.shape)}`,
    );
  }
  const order = inOrder([loss]);
  const isOnPath = reaches(order, wrt);
  const found = new Map<Identity, Tensor>([[identity(loss), scalar(1)]]);
  for (const tensor of order.toReversed()) {
    const gradient = found.get(identity(tensor));
    if (gradient === undefined || tensor.source.kind !== "op") continue;
    const { op } = tensor.source;
    if (op.gradient === "none") {
      // No zeros in silence where there is a gradient, only no rule.
      if (tensor.dtype !== "float32" && tensor.dtype !== "float16") continue;
      throw new UnsupportedError(`gradients: ${op.kind} has no rule`, {
        hint: "Build the loss from other ops; this one is for sampling alone.",
      });
    }
    for (const [i, share] of op.gradient(tensor, gradient).entries()) {
      const receiver = op.inputs[i]!; // a rule gives one gradient for each input
      if (share === undefined || !isOnPath(receiver)) continue;
      expectSameShape(op.kind, receiver, share);
      const sum = found.get(identity(receiver));
      found.set(identity(receiver), sum === undefined ? share : add(sum, share));
    }
  }
  return wrt.map((each) => found.get(identity(each)) ?? broadcastLike(scalar(0), each));
}

/** Two tensors that name one input or one parameter are one value. */
type Identity = Tensor | string;

function identity(tensor: Tensor): Identity {
  const { source } = tensor;
  const isNamed = source.kind === "input" || source.kind === "parameter";
  return isNamed ? `${source.kind} ${source.name}` : tensor;
}

/** Tells the tensors of `order` that are one of `wrt` or made from one. */
function reaches(order: readonly Tensor[], wrt: readonly Tensor[]): (tensor: Tensor) => boolean {
  const reached = new Set<Identity>(wrt.map(identity));
  for (const tensor of order) {
    if (tensor.source.kind !== "op") continue;
    if (tensor.source.op.inputs.some((each) => reached.has(identity(each)))) reached.add(tensor);
  }
  return (tensor) => reached.has(identity(tensor));
}

function expectSameShape(kind: string, value: Tensor, gradient: Tensor): void {
  if (formatShape(value.shape) !== formatShape(gradient.shape) || value.dtype !== gradient.dtype) {
    throw new Error(
      `internal: ${kind} gives a gradient ${gradient.dtype} ${formatShape(gradient.shape)} for an input ${value.dtype} ${formatShape(value.shape)}`,
    );
  }
}
