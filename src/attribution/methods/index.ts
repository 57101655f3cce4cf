import { ConfigError } from "../../util/errors.ts";
import type { AttributionMethod } from "../method.ts";
import { bm25 } from "./bm25.ts";
import { ches } from "./ches.ts";
import { conceptInfluence } from "./concept-influence.ts";
import { embedding } from "./embedding.ts";
import { gradient } from "./gradient.ts";
import { implicitReward } from "./implicit-reward.ts";
import { influenceProbe } from "./influence-probe.ts";
import { judge } from "./judge.ts";
import { length } from "./length.ts";
import { less } from "./less.ts";
import { lls } from "./lls.ts";
import { lossDiff } from "./loss-diff.ts";
import { norm } from "./norm.ts";
import { probe } from "./probe.ts";
import { projectionDifference } from "./projection-difference.ts";
import { random } from "./random.ts";
import { steeredLikelihood } from "./steered-likelihood.ts";
import { tracin } from "./tracin.ts";
import { whitened } from "./whitened.ts";

/** Every method; the first is the one that is used where none is named. */
export const METHODS: readonly AttributionMethod[] = [
  probe,
  influenceProbe,
  gradient,
  conceptInfluence,
  tracin,
  less,
  random,
  length,
  norm,
  whitened,
  bm25,
  lls,
  implicitReward,
  ches,
  projectionDifference,
  steeredLikelihood,
  lossDiff,
  judge,
  embedding,
];

/** The method of that name. Throws ConfigError where there is none. */
export function findMethod(
  name: string,
  methods: readonly AttributionMethod[] = METHODS,
): AttributionMethod {
  const found = methods.find((method) => method.name === name);
  if (found !== undefined) return found;
  throw new ConfigError(
    `method: expected ${methods.map((method) => method.name).join(", ")}, got "${name}"`,
  );
}
