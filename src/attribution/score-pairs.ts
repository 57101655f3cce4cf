import type { z } from "zod";

import type { VectorStore } from "../store/open-store.ts";
import { ConfigError } from "../util/errors.ts";
import type { JobOptions } from "../util/progress.ts";
import type {
  AttributionMethod,
  MethodTask,
  Need,
  PairScores,
  ScoredBehavior,
  Sources,
} from "./method.ts";

export interface ScorePairsOptions extends JobOptions {
  /** What files and tables call this use of the method; default: the method's name. */
  readonly name?: string | undefined;
  /** Threads of the arithmetic; default: one for each core. */
  readonly threads?: number | undefined;
}

/** Throws ConfigError unless the store holds what the method reads. */
function expectFeatures(
  { name, features = "states" }: Pick<AttributionMethod, "name" | "features">,
  { directory, manifest }: VectorStore,
): void {
  const found = manifest.features?.kind ?? "states";
  if (found === features) return;
  throw new ConfigError(
    `${directory}: expected vectors of ${features} features, which the method ${name} reads, got ${found}`,
    { hint: `Make store and behaviour with --features ${features}.` },
  );
}

/** Throws ConfigError unless the behaviours are read as the method asks. */
function expectAsked(
  {
    name,
    features = "states",
    asks = features,
  }: Pick<AttributionMethod, "name" | "features" | "asks">,
  behaviors: readonly ScoredBehavior[],
): void {
  for (const behavior of behaviors) {
    const found = behavior.head.features?.kind ?? "states";
    if (found === asks) continue;
    throw new ConfigError(
      `behavior "${behavior.name}": expected one of ${asks} features, which the method ${name} asks with, got ${found}`,
      { hint: `Make it with culprit behavior --features ${asks}.` },
    );
  }
}

const COUNTED = ["tokens", "flops", "money", "bytes"] as const;

/**
 * Runs a method: one or several rankings of the same rows, and what they cost together. Throws ConfigError where something is missing that
 * the method needs.
 */
export async function scorePairs<N extends Need, S extends z.ZodObject>(
  method: AttributionMethod<N, S>,
  task: MethodTask & { readonly [K in Need]?: Sources[K] | undefined },
  settings: z.output<S>,
  { name = method.name, ...work }: ScorePairsOptions = {},
): Promise<readonly PairScores[]> {
  const missing = method.needs.find((need) => task[need] === undefined);
  if (missing !== undefined) {
    throw new ConfigError(
      `${missing}: expected one, which the method ${method.name} needs, got none`,
    );
  }
  const lacking = method.lacks?.(settings);
  if (lacking !== undefined) throw new ConfigError(`${lacking.setting}: ${lacking.message}`);
  if (method.needs.includes("store" as N)) expectFeatures(method, task.store!); // checked above
  if (method.needs.includes("behavior" as N)) {
    const { wanted, unrelated } = task.behavior!; // checked above
    expectAsked(method, [...wanted, ...unrelated]);
  }
  const used = { seconds: 0, tokens: 0, flops: 0, money: 0, bytes: 0 };
  const startMs = performance.now();
  const scored = await method.score(task as MethodTask<N>, settings, {
    // checked above
    ...work,
    count: (more) => {
      for (const key of COUNTED) used[key] += more[key] ?? 0;
    },
  });
  used.seconds = (performance.now() - startMs) / 1000;
  const { ids } = task.rows;
  return scored.map((each) => {
    if (each.scores.length !== ids.length) {
      throw new Error(
        `internal: ${method.name} scored ${each.scores.length} of ${ids.length} rows`,
      );
    }
    return { ...each, ids, method: { name, settings, ...method.describe(settings) }, cost: used };
  });
}
