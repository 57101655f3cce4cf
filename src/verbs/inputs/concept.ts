import { readBehavior } from "../../behavior/behavior-file.ts";
import { differingPart, IDENTITY_PARTS } from "../../behavior/behavior-head.ts";
import { readUsedLayer } from "../../behavior/used-layer.ts";
import type { EngineIdentity } from "../../engine/engine.ts";
import { describeFeatures } from "../../engine/features.ts";
import { ConfigError } from "../../util/errors.ts";
import { norm } from "../../util/vector.ts";
import type { Concept } from "../settings/features.ts";

/** The direction of a behaviour of states. Throws ConfigError where it is of something else, or of another checkpoint. */
export async function readConcept(
  path: string,
  asked: number | "auto",
  identity: EngineIdentity,
): Promise<Concept> {
  const { head, directions, identity: own } = await readBehavior(path);
  if (head.features !== undefined) {
    throw new ConfigError(
      `concept: expected a behaviour of states, got ${describeFeatures(head.features)} (${path})`,
      { hint: "culprit behavior makes one of states where nothing else is said." },
    );
  }
  const other = differingPart(own, identity);
  if (other !== undefined) {
    throw new ConfigError(
      `concept: expected the ${IDENTITY_PARTS[other]} of ${identity.name}, got another one (${path})`,
      { hint: "Make both behaviours with the same --checkpoint, --adapter and --template." },
    );
  }
  const { layer } = await readUsedLayer(path, asked);
  const vector = directions.get(layer);
  if (vector === undefined) {
    throw new ConfigError(
      `conceptLayer: expected a layer of ${path} (${[...directions.keys()].join(", ")}), got ${layer}`,
    );
  }
  const length = norm(vector);
  return { layer, direction: vector.map((value) => value / length) };
}
