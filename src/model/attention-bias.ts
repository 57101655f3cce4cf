import { scalar, constant, type Tensor } from "../tensor/graph.ts";
import { and, equal, less, lessOrEqual, or } from "../tensor/ops/comparison.ts";
import { subtractIntegers } from "../tensor/ops/integer-arithmetic.ts";
import { reshape } from "../tensor/ops/reshape.ts";
import { where } from "../tensor/ops/where.ts";

/** Segment of prompt tokens, which every response behind them sees. */
export const PROMPT_SEGMENT = 0;
/** Segment of padding: seen by padding alone, so that no row of the softmax is empty. */
export const PADDING_SEGMENT = -1;

/** Where tokens stand: position in their sequence and segment, int32 [B, T] each. */
export interface TokenPlaces {
  readonly positions: Tensor;
  readonly segments: Tensor;
}

/** Far below any score, yet finite: exp underflows to exactly 0, and no NaN can come of it. */
export const HIDDEN = -1e30;

/**
 * What is added to attention scores so that a query sees a key iff the key is no later, belongs to the prompt or to the query's
 * own segment, and lies within the window: [B, 1, T, S]. Queries [B, T], keys [B, S].
 */
export function attentionBias(
  queries: TokenPlaces,
  keys: TokenPlaces,
  window: number | undefined,
): Tensor {
  const [b, t] = queries.positions.shape;
  const s = keys.positions.shape[1]!; // positions are [B, T]
  const asRows = (x: Tensor): Tensor => reshape(x, [b!, 1, t!, 1]);
  const asColumns = (x: Tensor): Tensor => reshape(x, [b!, 1, 1, s]);
  const integer = (value: number): Tensor => constant("int32", [1], [value]);

  const queryPositions = asRows(queries.positions);
  const keyPositions = asColumns(keys.positions);
  const keySegments = asColumns(keys.segments);
  const isReadable = or(
    equal(keySegments, integer(PROMPT_SEGMENT)),
    equal(asRows(queries.segments), keySegments),
  );
  const isPast = lessOrEqual(keyPositions, queryPositions);
  const isVisible = and(isReadable, isPast);
  const isNear = (reach: number): Tensor =>
    less(subtractIntegers(queryPositions, keyPositions), integer(reach));
  return where(
    window === undefined ? isVisible : and(isVisible, isNear(window)),
    scalar(0),
    scalar(HIDDEN),
  );
}
