import { differingPart, IDENTITY_PARTS } from "../behavior/behavior-head.ts";
import { describeFeatures, featuresOfPairs } from "../engine/features.ts";
import type { VectorStore } from "../store/open-store.ts";
import { ConfigError } from "../util/errors.ts";
import type { ScoredBehavior } from "./method.ts";

/**
 * Throws ConfigError unless the behaviour's directions live in the same space as the store's vectors: same checkpoint, same
 * tokenizer, same template, same features, same dimension.
 */
export function requireSameSpace(store: VectorStore, behavior: ScoredBehavior): void {
  const { checkpoint, dim, features } = store.manifest;
  const where = `behavior "${behavior.name}"`;
  const other = differingPart(checkpoint, behavior.identity);
  if (other !== undefined) {
    throw new ConfigError(
      `${where}: expected the ${IDENTITY_PARTS[other]} of ${store.directory} (${short(checkpoint[other])}), got another one (${short(behavior.identity[other])})`,
      { hint: "Make behaviour and store with the same --checkpoint, --adapter and --template." },
    );
  }
  const [stored, own] = [features, featuresOfPairs(behavior.head.features)].map(describeFeatures);
  if (stored !== own) {
    throw new ConfigError(`${where}: expected ${stored} like ${store.directory}, got ${own}`, {
      hint: "Make behaviour and store with the same --features, --sketch, --projection, --projection-seed and --parameters.",
    });
  }
  const [begins, got] = [checkpoint.boundary ?? "text", behavior.identity.boundary ?? "text"];
  if (begins !== got) {
    throw new ConfigError(
      `${where}: expected responses that begin as those of ${store.directory} (boundary ${begins}), got boundary ${got}`,
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
  behavior: ScoredBehavior,
  asked: readonly number[] | "auto" | undefined,
): readonly number[] {
  const { layers } = store.manifest;
  const shared = layers.filter((layer) => behavior.layers.includes(layer));
  const wanted = listWanted(behavior, asked) ?? shared;
  const missing = wanted.find((layer) => !shared.includes(layer));
  if (missing === undefined && wanted.length > 0) return wanted;
  throw new ConfigError(
    `behavior "${behavior.name}": ${missing === undefined ? "expected a layer of the store" : `layer ${missing} is not in both`}: the store has ${layers.join(", ")}, the behaviour ${behavior.layers.join(", ")}`,
    { hint: "Embed the pairs, or make the behaviour, at that layer too." },
  );
}

function listWanted(
  { name, head }: ScoredBehavior,
  asked: readonly number[] | "auto" | undefined,
): readonly number[] | undefined {
  if (asked !== "auto") return asked && [...new Set(asked)].toSorted((a, b) => a - b);
  const { layerChoice } = head;
  if (layerChoice.kind === "chosen") return [layerChoice.layer];
  throw new ConfigError(`behavior "${name}": no layer was chosen: ${layerChoice.reason}`, {
    hint: "Name a layer with --layers, or give response pairs of more prompts.",
  });
}

function short(hash: string): string {
  return hash.length > 12 ? `${hash.slice(0, 12)}…` : hash;
}
