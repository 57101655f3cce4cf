import type { ResponseActivations } from "../behavior/activations.ts";
import { readBehavior, type StoredBehavior } from "../behavior/behavior-file.ts";
import { estimateNuisance, nuisanceDoubts, nuisanceOfBehavior } from "../behavior/nuisance.ts";
import { type Nuisance, projectOut } from "../behavior/project-out.ts";
import { isMeasure, measureResponses, MEASURES } from "../behavior/response-measures.ts";
import type { ResponsePair } from "../pairs/response-pairs.ts";
import { ConfigError } from "../util/errors.ts";
import type { CommandContext } from "./command.ts";

/** What `--orthogonal-to` names: measures of the response, and behaviour files as they were read. */
export type NamedNuisance = { readonly measure: string } | { readonly behavior: StoredBehavior };

/** Reads the behaviour files among the names; throws ConfigError for a name that is neither a file nor a measure. */
export async function readNuisances(names: readonly string[]): Promise<NamedNuisance[]> {
  const found: NamedNuisance[] = [];
  for (const name of names) {
    if (name.endsWith(".safetensors")) found.push({ behavior: await readBehavior(name) });
    else if (isMeasure(name)) found.push({ measure: name });
    else {
      throw new ConfigError(
        `--orthogonal-to: expected behaviour files or ${MEASURES.join(", ")}, got "${name}"`,
      );
    }
  }
  return found;
}

/** The activations without the named directions; warns of those that halves of the prompts do not agree on. */
export function clearNuisances(
  activations: ResponseActivations,
  named: readonly NamedNuisance[],
  pairs: readonly ResponsePair[],
  context: CommandContext,
): ResponseActivations {
  if (named.length === 0) return activations;
  const nuisances = named.map((each) =>
    "behavior" in each
      ? nuisanceOfBehavior(each.behavior, activations)
      : measureNuisance(each.measure, pairs, activations, context),
  );
  return projectOut(activations, nuisances);
}

function measureNuisance(
  name: string,
  pairs: readonly ResponsePair[],
  activations: ResponseActivations,
  context: CommandContext,
): Nuisance {
  const nuisance = estimateNuisance(activations, measureResponses(name, pairs, activations));
  for (const doubt of nuisanceDoubts(nuisance)) context.warn(doubt);
  return nuisance;
}
