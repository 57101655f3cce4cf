import { z } from "zod";

import type { Plain } from "../util/artifact.ts";
import type { GenerationCounter } from "./generation/generate-options.ts";

const amount = z.number().nonnegative();

/** What endpoints took, in all attempts. */
const endpointCostSchema = z.strictObject({
  /** Sent, with or without an answer; of killed attempts, those that were answered, and those that failed up to the last sign of life. */
  requests: amount,
  /** That came, those included that could not be used. Absent in ledgers of earlier versions. */
  answers: amount.optional(),
  /** That ended without an answer. Absent in ledgers of earlier versions. */
  failed: amount.optional(),
  /** Of the answers that came. */
  promptTokens: amount,
  completionTokens: amount,
  /** Answers whose tokens, and so money, are estimated because the endpoint did not say. Absent: none. */
  estimated: amount.optional(),
  /** In the currency of the prices; absent without prices. */
  money: amount.optional(),
});
export type EndpointCost = Plain<typeof endpointCostSchema>;

/** What a stage has used up. */
export const costSchema = z.strictObject({
  /** Wall time of all attempts, killed ones up to their last sign of life. */
  seconds: amount,
  /** The part of them that is this stage's where several ran side by side: each second divided by those at work. Absent: all of them. */
  machineSeconds: amount.optional(),
  /** Tokens that went through a model, padding not counted; of killed attempts, those sampled, and of others what the result rests on. */
  tokens: amount,
  /** Multiplications and additions of the model's matrices, estimated from parameters and tokens; see docs/experiments.md. */
  flops: amount,
  /** What endpoints were asked and what they were paid; absent where none was asked. */
  endpoint: endpointCostSchema.optional(),
});
export type Cost = Plain<typeof costSchema>;

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

/** Seconds of the machine that are a cost's own. */
const machineTime = ({ seconds, machineSeconds = seconds }: Cost): number => machineSeconds;

/** Sums costs. */
export function addCosts(costs: Iterable<Cost>): Cost {
  let total = NO_COST;
  for (const { seconds, machineSeconds, tokens, flops, endpoint } of costs) {
    const asked = addEndpointCosts(total.endpoint, endpoint);
    total = {
      seconds: total.seconds + seconds,
      machineSeconds:
        machineSeconds === undefined && total.machineSeconds === undefined
          ? undefined
          : machineTime(total) + (machineSeconds ?? seconds),
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
  const sum = (key: "answers" | "failed" | "estimated" | "money"): number | undefined =>
    a[key] === undefined && b[key] === undefined ? undefined : (a[key] ?? 0) + (b[key] ?? 0);
  return {
    requests: a.requests + b.requests,
    answers: sum("answers"),
    failed: sum("failed"),
    promptTokens: a.promptTokens + b.promptTokens,
    completionTokens: a.completionTokens + b.completionTokens,
    estimated: sum("estimated"),
    money: sum("money"),
  };
}

/** A cost with its money, where there are prices. */
export const pricedCostSchema = costSchema.extend({ money: amount.optional() });
export type PricedCost = Plain<typeof pricedCostSchema>;

/** Puts the money of `priceOf` beside a cost. */
export function withMoney(cost: Cost, pricePerHour: number | undefined): PricedCost {
  return { ...cost, money: priceOf(cost, pricePerHour) };
}

/** Money for a cost: the machine's time by its price, and what endpoints were paid; undefined where neither has a price. */
export function priceOf(cost: Cost, pricePerHour: number | undefined): number | undefined {
  const paid = cost.endpoint?.money;
  if (pricePerHour === undefined) return paid;
  return (machineTime(cost) / 3600) * pricePerHour + (paid ?? 0);
}
