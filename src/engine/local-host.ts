import { downloadCheckpoint } from "../hub/download-checkpoint.ts";
import { isHubUri } from "../hub/hub-uri.ts";
import type { JobOptions } from "../util/progress.ts";
import { expectNoCluster } from "./cluster-options.ts";
import type { EngineHost, EngineOptions } from "./engine-host.ts";
import { openLocalEngine } from "./local-engine.ts";
import { openLocalTrainer } from "./local-trainer.ts";
import { expectFull, expectPrecision } from "./precision.ts";

/** Runs checkpoints in this process, with ONNX Runtime. */
export const localHost: EngineHost = {
  kind: "local",
  open: async (checkpoint, options = {}) => {
    const { dir, ...local } = await located(checkpoint, options);
    return openLocalEngine(dir, local);
  },
  openTrainer: async (checkpoint, settings, options = {}) => {
    expectFull(options.precision, "training");
    const { dir, ...local } = await located(checkpoint, options);
    return openLocalTrainer(dir, settings, local);
  },
};

/** Opens a checkpoint on this machine, see EngineHost.open. */
export const openEngine: EngineHost["open"] = (checkpoint, options) =>
  localHost.open(checkpoint, options);

/** The folders of checkpoint and adapter, downloaded where they are on the hub. */
export async function located(
  checkpoint: string,
  { download = {}, adapter, name = checkpoint, ...local }: EngineOptions,
): Promise<{ readonly dir: string } & Omit<EngineOptions, "download">> {
  expectNoCluster(local);
  expectPrecision("local", local.precision);
  const dir = await localFolder(checkpoint, download);
  const merged = adapter === undefined ? undefined : await localFolder(adapter, download);
  return { ...local, dir, name, adapter: merged };
}

/** The folder itself, or the snapshot that an `hf://` name is downloaded to. */
export async function localFolder(name: string, job: JobOptions): Promise<string> {
  return isHubUri(name) ? downloadCheckpoint(name, job) : name;
}
