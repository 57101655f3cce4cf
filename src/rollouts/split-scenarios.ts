import { ConfigError } from "../util/errors.ts";
import { hashText } from "../util/hash.ts";
import { requestKey } from "./base-key.ts";
import type { Scenario } from "./scenarios.ts";

export interface SplitOptions {
  /** Share of the base prompts that goes into the probe's half, above 0 and below 1. Default 0.5. */
  readonly probeShare?: number | undefined;
  /** Default 0. */
  readonly seed?: number | undefined;
}

interface ScenarioHalf {
  /** In their order before the split. */
  readonly scenarios: readonly Scenario[];
  /** Different base prompts, see requestKey. */
  readonly bases: number;
}

/** What the probe is made from, and what its effect is measured on. */
export type ScenarioSplit = { readonly [H in "probe" | "evaluation"]: ScenarioHalf };

/**
 * Splits scenarios into halves that share no base prompt; those that differ in white space, case and punctuation alone count as one.
 * The base prompts are put in an order that follows from the seed and their text, and the first `probeShare` of them are the probe's, at least one and not
 * all: one more base prompt moves at most one other. Throws ConfigError where there are fewer than two base prompts, or where two
 * scenarios have one id.
 */
export function splitScenarios(
  scenarios: readonly Scenario[],
  options: SplitOptions = {},
): ScenarioSplit {
  const { probeShare = 0.5, seed = 0 } = options;
  if (!(probeShare > 0 && probeShare < 1)) {
    throw new ConfigError(`probe share: expected a number above 0 and below 1, got ${probeShare}`);
  }
  requireDifferentIds(scenarios);
  const keys = scenarios.map(({ base }) => requestKey(base));
  const order = [...new Set(keys)]
    .map((key) => ({ key, hash: hashText(`split ${seed} ${key}`) }))
    .toSorted((a, b) => (a.hash < b.hash ? -1 : 1));
  if (order.length < 2) {
    throw new ConfigError(
      `scenarios: expected at least two different base prompts to split, got ${order.length}`,
      { hint: "Bases that differ in white space, case and punctuation alone count as one." },
    );
  }
  const count = Math.min(order.length - 1, Math.max(1, Math.round(probeShare * order.length)));
  const forProbe = new Set(order.slice(0, count).map(({ key }) => key));
  const half = (isProbe: boolean): readonly Scenario[] =>
    scenarios.filter((_, i) => forProbe.has(keys[i]!) === isProbe);
  return {
    probe: { scenarios: half(true), bases: count },
    evaluation: { scenarios: half(false), bases: order.length - count },
  };
}

function requireDifferentIds(scenarios: readonly Scenario[]): void {
  const seen = new Set<string>();
  for (const { id } of scenarios) {
    if (seen.has(id)) throw new ConfigError(`scenarios: the id "${id}" is there twice`);
    seen.add(id);
  }
}
