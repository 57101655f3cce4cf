/** @file Which behaviours belong to which store, and whether they are those that a forecast can be made of. */
import { requireSameSpace, sharedLayers } from "../attribution/require-same-space.ts";
import type { OpenBehavior } from "../behavior/behavior-file.ts";
import { differingPart, IDENTITY_PARTS } from "../behavior/behavior-head.ts";
import { describeFeatures, type FeatureKind } from "../engine/features.ts";
import type { VectorStore } from "../store/open-store.ts";
import { ConfigError } from "../util/errors.ts";
import type { ForecastStore } from "./read-predictors.ts";

/**
 * The stores, each at its one layer and with the behaviours of its features, all in one order; vectors are read when they are needed, of
 * that layer alone. Throws ConfigError where stores are of other pairs or checkpoints, two
 * have the same features, a store is left with several layers or none, a behaviour has no store, lives in another space or lacks the layer,
 * two have one name, or one is not there for every store.
 */
export function pickBehaviors(
  stores: readonly VectorStore[],
  behaviors: readonly OpenBehavior[],
  layers: readonly number[] | undefined,
): readonly ForecastStore[] {
  const [first] = stores;
  if (first === undefined) throw new ConfigError("store: expected at least one, got none");
  for (const other of stores.slice(1)) expectSamePairs(first, other);
  const kinds = stores.map(featuresOf);
  const twice = kinds.find((kind, i) => kinds.indexOf(kind) !== i);
  if (twice !== undefined) {
    throw new ConfigError(`store: expected one store of ${twice} features, got two`);
  }
  const homeless = behaviors.find(({ head }) => !kinds.includes(head.features?.kind ?? "states"));
  if (homeless !== undefined) {
    throw new ConfigError(
      `behavior "${homeless.name}": expected ${kinds.join(" or ")} like the stores, got ${describeFeatures(homeless.head.features)}`,
      { hint: "Give a store of those features too, or leave the behaviour out." },
    );
  }
  expectUsed(stores, layers);
  const picked = stores.map((store, s): ForecastStore => {
    const own = behaviors.filter(({ head }) => (head.features?.kind ?? "states") === kinds[s]);
    const layer = onlyLayer(store, layers);
    for (const behavior of own) {
      requireSameSpace(store, behavior);
      sharedLayers(store, behavior, [layer]);
    }
    expectOnce(own, kinds[s]!);
    const toRead = own.map((behavior) => ({
      name: behavior.name,
      madeOf: behavior.head.pairFiles.map(({ sha256 }) => sha256),
      read: () => behavior.read({ layers: [layer], bank: false }),
    }));
    return { store, features: kinds[s]!, layer, behaviors: toRead };
  });
  return inOneOrder(picked);
}

const featuresOf = ({ manifest }: VectorStore): FeatureKind => manifest.features?.kind ?? "states";

function expectSamePairs(first: VectorStore, other: VectorStore): void {
  const [a, b] = [first.manifest, other.manifest];
  const part = differingPart(a.checkpoint, b.checkpoint);
  if (part !== undefined) {
    throw new ConfigError(
      `${other.directory}: expected the ${IDENTITY_PARTS[part]} of ${first.directory}, got another one`,
      { hint: "Embed the pairs on the checkpoint before training for every store." },
    );
  }
  if (a.pairs.contentHash !== b.pairs.contentHash || first.rows !== other.rows) {
    throw new ConfigError(
      `${other.directory}: expected the pairs of ${first.directory} (${first.rows}), got others (${other.rows})`,
      { hint: "Embed the same files with the same --limit and --max-tokens for every store." },
    );
  }
}

/** A layer that no store has would be passed over. */
function expectUsed(stores: readonly VectorStore[], layers: readonly number[] = []): void {
  const stray = layers.filter(
    (layer) => !stores.some((each) => each.manifest.layers.includes(layer)),
  );
  if (stray.length === 0) return;
  const have = stores.map(
    ({ directory, manifest }) => `${directory} ${manifest.layers.join(", ")}`,
  );
  throw new ConfigError(
    `layers: expected layers of the stores (${have.join("; ")}), got ${stray.join(", ")} too`,
  );
}

function onlyLayer(
  { directory, manifest }: VectorStore,
  asked: readonly number[] | undefined,
): number {
  const left = manifest.layers.filter((layer) => asked?.includes(layer) ?? true);
  const [layer] = left;
  if (layer !== undefined && left.length === 1) return layer;
  throw new ConfigError(
    `layers: expected one layer of ${directory} (${manifest.layers.join(", ")}), got ${left.join(", ") || "none"}`,
    { hint: "Name with --layers one layer of every store." },
  );
}

function expectOnce(behaviors: readonly OpenBehavior[], features: FeatureKind): void {
  const names = behaviors.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return;
  throw new ConfigError(
    `behavior: expected behaviours of different names, got "${twice}" of ${features} twice`,
    { hint: "culprit behavior --name gives one another name." },
  );
}

function inOneOrder(stores: readonly ForecastStore[]): readonly ForecastStore[] {
  const names = [...new Set(stores.flatMap((each) => each.behaviors.map(({ name }) => name)))];
  return stores.map((each) => {
    const behaviors = names.map((name) => {
      const found = each.behaviors.find((behavior) => behavior.name === name);
      if (found !== undefined) return found;
      throw new ConfigError(
        `behavior "${name}": expected one of ${each.features} for ${each.store.directory} too, got none`,
        { hint: "Make every behaviour once for each store, with its --features." },
      );
    });
    return { ...each, behaviors };
  });
}
