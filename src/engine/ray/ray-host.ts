import { hashCheckpoint } from "../checkpoint-size.ts";
import type { EngineHost } from "../engine-host.ts";
import { localFolder, localHost } from "../local-host.ts";
import { openCheckpoint } from "../open-checkpoint.ts";
import { placeFolder } from "./place-checkpoint.ts";
import { notOnRay, RayEngine } from "./ray-engine.ts";
import { raySettings } from "./ray-options.ts";

/**
 * Runs checkpoints on a Ray cluster, at `address`, through files in `storage`. Training is refused, unless `training: local` says that
 * it runs in this process.
 */
export const rayHost: EngineHost = {
  kind: "ray",
  open: async (name, options = {}) => {
    const settings = await raySettings(options);
    const { download = {}, onNote = () => undefined } = options;
    const folder = await localFolder(name, download);
    const adapter =
      options.adapter === undefined ? undefined : await localFolder(options.adapter, download);
    const checkpoint = await openCheckpoint(folder, {
      ...options,
      name: options.name ?? name,
      adapter,
    });
    const place = (from: string): Promise<string> =>
      placeFolder(from, hashCheckpoint, settings.storage, onNote);
    try {
      const subject = {
        checkpoint: await place(folder),
        adapter: adapter === undefined ? undefined : await place(adapter),
        hash: checkpoint.identity.checkpointHash,
      };
      return new RayEngine({ checkpoint, subject, settings, note: onNote });
    } catch (error) {
      await checkpoint.weights[Symbol.asyncDispose]();
      throw error;
    }
  },
  openTrainer: async (checkpoint, settings, options = {}) => {
    if (options.training !== "local") throw notOnRay("training");
    const {
      address: _a,
      storage: _s,
      workers: _w,
      precision: _p,
      training: _t,
      ...local
    } = options;
    return localHost.openTrainer(checkpoint, settings, local);
  },
};
