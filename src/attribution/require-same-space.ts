import { type CheckpointParts, differingPart, IDENTITY_PARTS } from "../behavior/behavior-head.ts";
import type { EngineIdentity } from "../engine/engine.ts";
import { describeFeatures, type Features, featuresOfPairs } from "../engine/features.ts";
import type { VectorStore } from "../store/open-store.ts";
import { ConfigError } from "../util/errors.ts";
import type { ScoredBehavior } from "./method.ts";

/** What is compared of a behaviour; no vectors. */
type Outline = Pick<ScoredBehavior, "name" | "identity" | "dim" | "layers" | "head">;

/** Where vectors live that a behaviour's directions are held to. */
interface Space {
  /** What has them, for messages. */
  readonly name: string;
  readonly kind: "store" | "checkpoint";
  readonly checkpoint: CheckpointParts & { readonly boundary?: string | undefined };
  readonly dim: number;
  readonly features?: Features | undefined;
  readonly layers: readonly number[];
}

const spaceOf = ({ directory: name, manifest }: VectorStore): Space => ({
  name,
  kind: "store",
  ...manifest,
});

/** The states of a checkpoint, at every layer. */
const spaceOfStates = (identity: EngineIdentity): Space => ({
  name: identity.name,
  kind: "checkpoint",
  checkpoint: identity,
  dim: identity.dim,
  layers: Array.from({ length: identity.layerCount + 1 }, (_, layer) => layer),
});

/**
 * Throws ConfigError unless the behaviour's directions live in the same space as the store's vectors: same checkpoint, same
 * tokenizer, same template, same features, same dimension.
 */
export function requireSameSpace(store: VectorStore, behavior: Outline): void {
  requireSpace(spaceOf(store), behavior);
}

/**
 * The layers of the behaviour at which the checkpoint's own states are scored: those asked for, with `auto` the one that was chosen, else
 * all. Throws ConfigError where the behaviour is of another checkpoint, or lacks a layer.
 */
export function layersOfStates(
  identity: EngineIdentity,
  behavior: ScoredBehavior,
  asked: readonly number[] | "auto" | undefined,
): readonly number[] {
  const space = spaceOfStates(identity);
  requireSpace(space, behavior);
  return layersInBoth(space, behavior, asked);
}

function requireSpace(space: Space, behavior: Outline): void {
  const { name, kind, checkpoint, dim, features } = space;
  const where = `behavior "${behavior.name}"`;
  const other = differingPart(checkpoint, behavior.identity);
  if (other !== undefined) {
    throw new ConfigError(
      `${where}: expected the ${IDENTITY_PARTS[other]} of ${name} (${short(checkpoint[other])}), got another one (${short(behavior.identity[other])})`,
      {
        hint:
          kind === "store" && other === "precision" && checkpoint.precision !== undefined
            ? "culprit refine makes the top of such a store exact, for this behaviour; or make both with the same --precision."
            : "Make behaviour and store with the same --checkpoint, --adapter, --template and --precision.",
      },
    );
  }
  const [stored, own] = [features, featuresOfPairs(behavior.head.features)].map(describeFeatures);
  if (stored !== own) {
    throw new ConfigError(`${where}: expected ${stored} like ${name}, got ${own}`, {
      hint: "Make behaviour and store with the same --features, --sketch, --projection, --projection-seed and --parameters.",
    });
  }
  const [begins, got] = [checkpoint.boundary ?? "text", behavior.identity.boundary ?? "text"];
  if (begins !== got) {
    throw new ConfigError(
      `${where}: expected responses that begin as those of ${name} (boundary ${begins}), got boundary ${got}`,
      { hint: "Make behaviour and store with the same --boundary." },
    );
  }
  if (behavior.dim !== dim) {
    throw new ConfigError(`${where}: expected ${dim} dimensions, got ${behavior.dim}`);
  }
}

/**
 * The layers that store and behaviour share, exactly those asked for, or with `auto` the one that was chosen for the behaviour.
 * Throws ConfigError where there are none.
 */
export function sharedLayers(
  store: VectorStore,
  behavior: Outline,
  asked: readonly number[] | "auto" | undefined,
): readonly number[] {
  return layersInBoth(spaceOf(store), behavior, asked);
}

function layersInBoth(
  { kind, layers }: Space,
  behavior: Outline,
  asked: readonly number[] | "auto" | undefined,
): readonly number[] {
  const shared = layers.filter((layer) => behavior.layers.includes(layer));
  const wanted = listWanted(behavior, asked) ?? shared;
  const missing = wanted.find((layer) => !shared.includes(layer));
  if (missing === undefined && wanted.length > 0) return wanted;
  throw new ConfigError(
    `behavior "${behavior.name}": ${missing === undefined ? `expected a layer of the ${kind}` : `layer ${missing} is not in both`}: the ${kind} has ${layers.join(", ")}, the behaviour ${behavior.layers.join(", ")}`,
    { hint: "Embed the pairs, or make the behaviour, at that layer too." },
  );
}

function listWanted(
  { name, head }: Outline,
  asked: readonly number[] | "auto" | undefined,
): readonly number[] | undefined {
  if (asked !== "auto") return asked && [...new Set(asked)].toSorted((a, b) => a - b);
  const { layerChoice } = head;
  if (layerChoice.kind === "chosen") return [layerChoice.layer];
  throw new ConfigError(`behavior "${name}": no layer was chosen: ${layerChoice.reason}`, {
    hint: "Name a layer with --layers, or give response pairs of more prompts.",
  });
}

/** Of a part that is absent the precision is one. */
function short(hash = "F32"): string {
  return hash.length > 12 ? `${hash.slice(0, 12)}…` : hash;
}
