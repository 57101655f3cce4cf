/** @file One checkpoint given as the one before training and as the one after: every difference of the two is then nothing but chance. */
import { ROLLOUT_MANIFEST, rolloutManifestPath } from "../../rollouts/rollout-manifest.ts";
import { ConfigError } from "../../util/errors.ts";
import { realPath } from "../check-outputs.ts";
import type { OpenWork } from "../verb.ts";

/** What tells one checkpoint from another, and what it is called. */
interface Named {
  readonly name: string;
  readonly checkpointHash: string;
}

/** Warns where two checkpoints have the same weights, settings and tokens. */
export function warnOfSameCheckpoint(
  before: Named | undefined,
  after: Named | undefined,
  warn: OpenWork["warn"],
): void {
  if (before === undefined || before.checkpointHash !== after?.checkpointHash) return;
  const names = before.name === after.name ? before.name : `${before.name} and ${after.name}`;
  warn(
    `${names}: the checkpoint before training and the one after are the same, by their content: what differs between them is nothing but chance`,
  );
}

/** The same for what was sampled from them. Throws ConfigError where it is one file; `name` is that of the second, for the error. */
export async function warnOfSameRollouts(
  before: string,
  after: string,
  { name, warn }: { readonly name: string; readonly warn: OpenWork["warn"] },
): Promise<void> {
  if (realPath(before) === realPath(after)) {
    throw new ConfigError(
      `${name}: expected the rollouts of another checkpoint, got one file for both (${before})`,
      { hint: "Name the rollouts of the checkpoint after training." },
    );
  }
  const [start, end] = await Promise.all([sampledFrom(before), sampledFrom(after)]);
  warnOfSameCheckpoint(start, end, warn);
}

/** Throws ConfigError where the rollouts are known to be another checkpoint's than the one before training. */
export async function expectSampledBefore(before: string, identity: Named): Promise<void> {
  const found = await ROLLOUT_MANIFEST.find(rolloutManifestPath(before));
  if (found?.kind !== "rollouts" || found.checkpointHash === identity.checkpointHash) return;
  throw new ConfigError(
    `before: expected rollouts of ${identity.name}, got those of ${found.checkpoint}`,
    { hint: "Give as --checkpoint the one before training, and as --before rollouts of it." },
  );
}

/** Undefined where no manifest of a checkpoint lies beside the file. */
async function sampledFrom(path: string): Promise<Named | undefined> {
  const found = await ROLLOUT_MANIFEST.find(rolloutManifestPath(path));
  if (found?.kind !== "rollouts") return undefined;
  // What was amplified is another model's.
  if (found.amplify !== null && found.amplify !== undefined) return undefined;
  return { name: found.checkpoint, checkpointHash: found.checkpointHash };
}
