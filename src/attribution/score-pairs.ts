import type { z } from "zod";

import type { VectorStore } from "../store/open-store.ts";
import { ConfigError } from "../util/errors.ts";
import type { JobOptions } from "../util/progress.ts";
import { blankOthers, candidateRows, spreadScores } from "./candidates.ts";
import type {
  AttributionMethod,
  Candidates,
  MethodTask,
  Need,
  PairScores,
  Scored,
  ScoredBehavior,
  Sources,
} from "./method.ts";
import type { PairRows } from "./pair-rows.ts";

export interface ScorePairsOptions extends JobOptions {
  /** What files and tables call this use of the method; default: the method's name. */
  readonly name?: string | undefined;
  /** Threads of the arithmetic; default: one for each core. */
  readonly threads?: number | undefined;
  /** A folder where methods keep by its content what takes long to make. Default: nothing is kept. */
  readonly cache?: string | undefined;
  /** Rows to score; the others have no score. Default: all. */
  readonly candidates?: Candidates | undefined;
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
    behaviorFeatures = features,
  }: Pick<AttributionMethod, "name" | "features" | "behaviorFeatures">,
  behaviors: readonly ScoredBehavior[],
): void {
  for (const behavior of behaviors) {
    const found = behavior.head.features?.kind ?? "states";
    if (found === behaviorFeatures) continue;
    throw new ConfigError(
      `behavior "${behavior.name}": expected one of ${behaviorFeatures} features, which the method ${name} asks with, got ${found}`,
      { hint: `Make it with culprit behavior --features ${behaviorFeatures}.` },
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
  { name = method.name, candidates, ...work }: ScorePairsOptions = {},
): Promise<readonly PairScores[]> {
  const missing = method.needs.find((need) => task[need] === undefined);
  if (missing !== undefined) {
    throw new ConfigError(
      `${missing}: expected one, which the method ${method.name} needs, got none`,
    );
  }
  expectOneOf(method, task);
  const lacking = method.lacks?.(settings);
  if (lacking !== undefined) throw new ConfigError(`${lacking.setting}: ${lacking.message}`);
  if (method.needs.includes("store" as N)) expectFeatures(method, task.store!); // checked above
  if (method.needs.includes("behavior" as N)) {
    const { wanted, unrelated } = task.behavior!; // checked above
    expectAsked(method, [...wanted, ...unrelated]);
  }
  const cost = { seconds: 0, tokens: 0, flops: 0, money: 0, bytes: 0 };
  const startMs = performance.now();
  const score = (given: typeof task): Promise<readonly Scored[]> =>
    method.score(given as MethodTask<N>, settings, {
      // checked above
      ...work,
      count: (more) => {
        for (const key of COUNTED) cost[key] += more[key] ?? 0;
      },
    });
  const scored =
    candidates === undefined
      ? await score(task)
      : await scoreCandidates(task, candidates, {
          score,
          hasStore: method.needs.includes("store" as N),
        });
  cost.seconds = (performance.now() - startMs) / 1000;
  const { ids } = task.rows;
  return scored.map((each) => {
    expectAll(each, task.rows);
    const used = { name, settings, ...method.describe(settings) };
    return { ...each, ids, method: used, cost, candidates };
  });
}

/** Throws ConfigError unless there is just one of those of which the method takes one. */
function expectOneOf(
  { name, oneOf = [] }: Pick<AttributionMethod, "name" | "oneOf">,
  task: { readonly [K in Need]?: unknown },
): void {
  const found = oneOf.filter((each) => task[each] !== undefined);
  if (oneOf.length === 0 || found.length === 1) return;
  throw new ConfigError(
    `${oneOf[0]}: expected either ${oneOf.join(" or ")}, which the method ${name} needs, got ${found.length === 0 ? "none" : found.join(" and ")}`,
  );
}

/** A store is scored whole, in the order that it has; text is read of the candidates alone. */
async function scoreCandidates<T extends MethodTask>(
  task: T,
  candidates: Candidates,
  {
    score,
    hasStore,
  }: { readonly score: (task: T) => Promise<readonly Scored[]>; readonly hasStore: boolean },
): Promise<readonly Scored[]> {
  if (hasStore) return (await score(task)).map((each) => blankOthers(each, candidates));
  const { rows, places } = candidateRows(task.rows, candidates);
  const found = await score({ ...task, rows });
  return found.map((each) => {
    expectAll(each, rows);
    return spreadScores(each, places, task.rows.ids.length);
  });
}

function expectAll({ scores }: Scored, { ids }: PairRows): void {
  if (scores.length === ids.length) return;
  throw new Error(`internal: a method scored ${scores.length} of ${ids.length} rows`);
}
