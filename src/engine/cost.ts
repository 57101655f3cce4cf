import type { GenerationCounter } from "./generation/generate-options.ts";

/** What a stage has used up. */
export interface Cost {
  /** Wall time of all attempts, killed ones up to their last sign of life. */
  readonly seconds: number;
  /** Tokens that went through a model, padding not counted; of killed attempts, those sampled, and of others what the result rests on. */
  readonly tokens: number;
  /** Multiplications and additions of the model's matrices, estimated from parameters and tokens; see docs/experiments.md. */
  readonly flops: number;
  /** What endpoints were asked and what they were paid; absent where none was asked. */
  readonly endpoint?: EndpointCost | undefined;
}

/** What endpoints took, in all attempts. */
export interface EndpointCost {
  /** Sent, with or without an answer; of killed attempts, those that were answered, and those that failed up to the last sign of life. */
  readonly requests: number;
  /** That came, those included that could not be used. Absent in ledgers of earlier versions. */
  readonly answers?: number | undefined;
  /** That ended without an answer. Absent in ledgers of earlier versions. */
  readonly failed?: number | undefined;
  /** Of the answers that came. */
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Answers whose tokens, and so money, are estimated because the endpoint did not say. Absent: none. */
  readonly estimated?: number | undefined;
  /** In the currency of the prices; absent without prices. */
  readonly money?: number | undefined;
}

/** Where a running stage reports what it uses up, beside the time. */
export interface CostMeter {
  /** `flopsPerToken`: 2 for each parameter that a token meets on the way forward, 6 where it is trained. */
  add(tokens: number, flopsPerToken: number): void;
  /** A counter of sampling, read again until the stage ends: what an attempt sampled that was then killed counts too. */
  watchSampling(work: Readonly<GenerationCounter>): void;
  /** `read` adds this attempt to what earlier ones took, see endpointLedger; it is asked again until the stage ends. */
  watchEndpoint(read: (before: EndpointCost | undefined) => EndpointCost): void;
}

/** Counts nothing. */
export const NO_METER: CostMeter = {
  add: () => {},
  watchSampling: () => {},
  watchEndpoint: () => {},
};

export const NO_COST: Cost = { seconds: 0, tokens: 0, flops: 0 };

/** Sums costs. */
export function addCosts(costs: Iterable<Cost>): Cost {
  let total = NO_COST;
  for (const { seconds, tokens, flops, endpoint } of costs) {
    const asked = addEndpointCosts(total.endpoint, endpoint);
    total = {
      seconds: total.seconds + seconds,
      tokens: total.tokens + tokens,
      flops: total.flops + flops,
      endpoint: asked,
    };
  }
  return total;
}

function addEndpointCosts(
  a: EndpointCost | undefined,
  b: EndpointCost | undefined,
): EndpointCost | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const sum = (key: "answers" | "failed" | "estimated" | "money"): Partial<EndpointCost> =>
    a[key] === undefined && b[key] === undefined ? {} : { [key]: (a[key] ?? 0) + (b[key] ?? 0) };
  return {
    requests: a.requests + b.requests,
    ...sum("answers"),
    ...sum("failed"),
    promptTokens: a.promptTokens + b.promptTokens,
    completionTokens: a.completionTokens + b.completionTokens,
    ...sum("estimated"),
    ...sum("money"),
  };
}

/** A cost with its money, where there are prices. */
export type PricedCost = Cost & { readonly money?: number | undefined };

/** Puts the money of `priceOf` beside a cost. */
export function withMoney(cost: Cost, pricePerHour: number | undefined): PricedCost {
  const money = priceOf(cost, pricePerHour);
  return money === undefined ? cost : { ...cost, money };
}

/** Money for a cost: the machine's time by its price, and what endpoints were paid; undefined where neither has a price. */
export function priceOf(cost: Cost, pricePerHour: number | undefined): number | undefined {
  const paid = cost.endpoint?.money;
  if (pricePerHour === undefined) return paid;
  return (cost.seconds / 3600) * pricePerHour + (paid ?? 0);
}
