import type { MethodCost, UsedMethod } from "../../src/attribution/method.ts";

/** A method's entry in scores that a test makes up. */
export const usedMethod = (name: string): UsedMethod => ({
  name,
  settings: {},
  formula: "made up",
  traits: { isBounded: false, null: "none", hasVerdict: false, hasLayer: true },
});

export const NO_METHOD_COST: MethodCost = { seconds: 0, tokens: 0, flops: 0, money: 0, bytes: 0 };
