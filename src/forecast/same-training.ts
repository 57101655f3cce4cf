import { differingPart, IDENTITY_PARTS } from "../behavior/behavior-head.ts";
import { hashPairFiles } from "../pairs/open-pairs.ts";
import { ConfigError } from "../util/errors.ts";
import type { Forecast, Score } from "./forecast-file.ts";
import type { Shifts } from "./shifts-file.ts";

/**
 * Whether the shifts are known to be of a training on the forecast's pairs, from its checkpoint; by the files and how many rows there were, so that a swap made
 * as pairs were read (culprit train --edit) is not seen. Throws ConfigError where they are known to be another's.
 */
export function expectSameWork(forecast: Forecast, shifts: Shifts): Score["samePairs"] {
  const part = differingPart(forecast.checkpoint, shifts.checkpoint);
  if (part !== undefined) {
    throw new ConfigError(
      `score: expected shifts from the ${IDENTITY_PARTS[part]} of the forecast (${forecast.checkpoint.name}), got another one (${shifts.checkpoint.name})`,
      {
        hint: "Measure with culprit shifts from the checkpoint that the pairs were embedded with.",
      },
    );
  }
  const { training } = shifts;
  if (training === undefined) return "unknown";
  if (training.startHash !== forecast.checkpoint.checkpointHash) {
    throw new ConfigError(
      `score: expected a training that started from ${forecast.checkpoint.name}, got one from another checkpoint (${shifts.trained.name})`,
    );
  }
  if (isTrainedOn(forecast.pairs, training)) return "yes";
  throw new ConfigError(
    `score: expected what training on the forecast's pairs did, got a training on other data (${shifts.trained.name})`,
    { hint: "Forecast from a store of the very files that the checkpoint was trained on." },
  );
}

/** Whether a training was on the pairs of a forecast: the same files in the same order, read to the same row. */
function isTrainedOn(
  { contentHash, shape, count, unusable }: Forecast["pairs"],
  { files, rows }: NonNullable<Shifts["training"]>,
): boolean {
  if (rows !== count + unusable) return false;
  // Neither file says up to which row pairs were read: to the end, or to the last one that was seen.
  return [undefined, rows].some((limit) => hashPairFiles({ files, shape, limit }) === contentHash);
}
