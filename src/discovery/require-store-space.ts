import { differingPart, IDENTITY_PARTS } from "../behavior/behavior-head.ts";
import type { EngineIdentity } from "../engine/engine.ts";
import { describeFeatures } from "../engine/features.ts";
import type { VectorStore } from "../store/open-store.ts";
import { requireLayer } from "../store/stream-blocks.ts";
import { ConfigError } from "../util/errors.ts";

/** Throws ConfigError unless the store holds states of this checkpoint, read in the same way, at all of the layers. */
export function requireStoreSpace(
  store: VectorStore,
  identity: EngineIdentity,
  layers: readonly number[],
): void {
  const { checkpoint, features } = store.manifest;
  const other = differingPart(checkpoint, identity);
  if (other !== undefined) {
    throw new ConfigError(
      `checkpoint: expected the ${IDENTITY_PARTS[other]} of ${store.directory}, got another one`,
      { hint: "Give the checkpoint, adapter and template that the pairs were embedded with." },
    );
  }
  if (features !== undefined) {
    throw new ConfigError(
      `${store.directory}: expected a store of states, got ${describeFeatures(features)}`,
      { hint: "Embed the pairs with --features states, the default." },
    );
  }
  const [begins, got] = [checkpoint.boundary ?? "text", identity.boundary ?? "text"];
  if (begins !== got) {
    throw new ConfigError(
      `checkpoint: expected responses that begin as those of ${store.directory} (boundary ${begins}), got boundary ${got}`,
      { hint: "Give the --boundary that the pairs were embedded with." },
    );
  }
  for (const layer of layers) requireLayer(store, layer);
}
