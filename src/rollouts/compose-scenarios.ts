import { ConfigError } from "../util/errors.ts";
import { hashText, hashValue } from "../util/hash.ts";
import { baseKey } from "./base-key.ts";
import type { BasePrompt } from "./base-prompts.ts";
import { type Constraint, constraintTags } from "./constraints.ts";
import type { Scenario } from "./scenarios.ts";

export interface ComposeOptions {
  /** Constraints that each base prompt gets, different ones. Default 1. */
  readonly perBase?: number | undefined;
  /** Default 0. */
  readonly seed?: number | undefined;
}

/** Scenarios made from base prompts and constraints. */
export interface ComposedScenarios {
  /** Base prompt by base prompt in their order, the constraints of one in the order of the pool. */
  readonly scenarios: readonly Scenario[];
  /** Different base prompts. */
  readonly bases: number;
  /** Base prompts that repeat another one, white space and case aside, and were merged with it. */
  readonly duplicates: number;
  /** Scenarios by constraint id, in the order of the pool; 0 for those that were not drawn. */
  readonly uses: Readonly<Record<string, number>>;
}

/**
 * Gives every base prompt `perBase` constraints of the pool as distractors. Which ones follows from seed, base prompt and constraint id alone: other
 * base prompts, their order and the pool's change nothing about it, a larger `perBase` adds to what a smaller one drew, and
 * a new constraint takes the place of others only where it is drawn. A scenario's id is `s-` and 16 hex digits of the hash of base and
 * distractor. Throws ConfigError where there is no base prompt or no constraint, or where `perBase` exceeds the pool.
 */
export function composeScenarios(
  basePrompts: readonly BasePrompt[],
  constraints: readonly Constraint[],
  options: ComposeOptions = {},
): ComposedScenarios {
  const { perBase = 1, seed = 0 } = options;
  checkSettings(basePrompts, constraints, perBase);
  const merged = mergeBases(basePrompts);
  const uses = new Map(constraints.map(({ id }) => [id, 0]));
  const scenarios = [...merged].flatMap(([key, base]) =>
    drawConstraints(constraints, perBase, `${seed} ${key}`).map((constraint) => {
      uses.set(constraint.id, uses.get(constraint.id)! + 1);
      return toScenario(base, constraint);
    }),
  );
  return {
    scenarios,
    bases: merged.size,
    duplicates: basePrompts.length - merged.size,
    uses: Object.fromEntries(uses),
  };
}

function checkSettings(
  basePrompts: readonly BasePrompt[],
  constraints: readonly Constraint[],
  perBase: number,
): void {
  if (basePrompts.length === 0) throw new ConfigError("scenarios: expected base prompts, got none");
  if (constraints.length === 0) throw new ConfigError("scenarios: expected constraints, got none");
  if (new Set(constraints.map(({ text }) => text)).size < constraints.length) {
    throw new ConfigError("scenarios: expected different constraints, got two with one text");
  }
  if (!Number.isSafeInteger(perBase) || perBase < 1) {
    throw new ConfigError(`per base: expected a whole number of at least 1, got ${perBase}`);
  }
  if (perBase > constraints.length) {
    throw new ConfigError(
      `per base: expected at most ${constraints.length}, the constraints of the pool, got ${perBase}`,
      { hint: "Take fewer for each base prompt, or a larger pool." },
    );
  }
}

/** The first of equal base prompts, with the tags of all, by key. */
function mergeBases(basePrompts: readonly BasePrompt[]): ReadonlyMap<string, BasePrompt> {
  const merged = new Map<string, BasePrompt>();
  for (const { text, tags } of basePrompts) {
    const key = baseKey(text);
    const first = merged.get(key);
    merged.set(key, { text: first?.text ?? text.trim(), tags: [...(first?.tags ?? []), ...tags] });
  }
  return merged;
}

/** The constraints with the smallest hashes beside `salt`, in the order of the pool: a sample without replacement. */
function drawConstraints(
  pool: readonly Constraint[],
  count: number,
  salt: string,
): readonly Constraint[] {
  const hashed = pool.map((constraint) => ({
    constraint,
    hash: hashText(JSON.stringify([salt, constraint.id])),
  }));
  const drawn = new Set(hashed.toSorted((a, b) => (a.hash < b.hash ? -1 : 1)).slice(0, count));
  return hashed.filter((each) => drawn.has(each)).map(({ constraint }) => constraint);
}

function toScenario({ text, tags }: BasePrompt, constraint: Constraint): Scenario {
  return {
    id: `s-${hashValue([text, constraint.text]).slice(0, 16)}`,
    title: undefined,
    base: text,
    distractor: constraint.text,
    tags: [...new Set([...tags, ...constraintTags(constraint)])],
    variants: {},
  };
}
