import type { GenerationCounter } from "../engine/generation/generate-options.ts";

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
  /** Sent, with or without an answer. */
  readonly requests: number;
  /** Of the answers that came. */
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** In the currency of the prices; absent without prices. */
  readonly money?: number | undefined;
}

/** Where a running stage reports what it uses up, beside the time. */
export interface CostMeter {
  /** `flopsPerToken`: 2 for each parameter that a token meets on the way forward, 6 where it is trained. */
  add(tokens: number, flopsPerToken: number): void;
  /** A counter of sampling, read again until the stage ends: what an attempt sampled that was then killed counts too. */
  watchSampling(work: Readonly<GenerationCounter>): void;
  /** `read` gives the requests of this attempt, and tokens and money of all attempts; it is asked again until the stage ends. */
  watchEndpoint(read: () => EndpointCost): void;
}

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
      ...(asked === undefined ? {} : { endpoint: asked }),
    };
  }
  return total;
}

function addEndpointCosts(
  a: EndpointCost | undefined,
  b: EndpointCost | undefined,
): EndpointCost | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const money =
    a.money === undefined && b.money === undefined ? undefined : (a.money ?? 0) + (b.money ?? 0);
  return {
    requests: a.requests + b.requests,
    promptTokens: a.promptTokens + b.promptTokens,
    completionTokens: a.completionTokens + b.completionTokens,
    ...(money === undefined ? {} : { money }),
  };
}

/** Money for a cost: the machine's time by its price, and what endpoints were paid; undefined where neither has a price. */
export function priceOf(cost: Cost, pricePerHour: number | undefined): number | undefined {
  const paid = cost.endpoint?.money;
  if (pricePerHour === undefined) return paid;
  return (cost.seconds / 3600) * pricePerHour + (paid ?? 0);
}
