/** What a stage has used up. */
export interface Cost {
  /** Wall time of all attempts, killed ones up to their last sign of life. */
  readonly seconds: number;
  /** Tokens that went through a model, padding not counted. */
  readonly tokens: number;
  /** Multiplications and additions of the model's matrices, estimated from parameters and tokens; see docs/experiments.md. */
  readonly flops: number;
}

/** Where a running stage reports what it uses up, beside the time. */
export interface CostMeter {
  /** `flopsPerToken`: 2 for each parameter that a token meets on the way forward, 6 where it is trained. */
  add(tokens: number, flopsPerToken: number): void;
}

export const NO_COST: Cost = { seconds: 0, tokens: 0, flops: 0 };

/** Sums costs. */
export function addCosts(costs: Iterable<Cost>): Cost {
  let total = NO_COST;
  for (const { seconds, tokens, flops } of costs) {
    total = {
      seconds: total.seconds + seconds,
      tokens: total.tokens + tokens,
      flops: total.flops + flops,
    };
  }
  return total;
}

/** Money for a cost, in the currency of the price; undefined where no price is known. */
export function priceOf(cost: Cost, pricePerHour: number | undefined): number | undefined {
  return pricePerHour === undefined ? undefined : (cost.seconds / 3600) * pricePerHour;
}
