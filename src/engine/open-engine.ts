import { downloadCheckpoint } from "../hub/download-checkpoint.ts";
import { isHubUri } from "../hub/hub-uri.ts";
import type { JobOptions } from "../util/progress.ts";
import type { Engine } from "./engine.ts";
import type { LocalEngineOptions } from "./local-engine-options.ts";
import { openLocalEngine } from "./local-engine.ts";
import { openLocalTrainer } from "./local-trainer.ts";
import type { Trainer, TrainerSettings } from "./trainer.ts";

export interface EngineOptions extends LocalEngineOptions {
  /** Shows the download of an `hf://` checkpoint. */
  readonly download?: JobOptions | undefined;
}

/**
 * Opens a checkpoint: a folder in Hugging Face layout or `hf://owner/name@revision`, which is downloaded into the standard
 * cache first. An adapter may be either as well. Throws ConfigError, FormatError or UnsupportedError naming file and key.
 */
export async function openEngine(checkpoint: string, options: EngineOptions = {}): Promise<Engine> {
  const { download = {}, adapter, ...local } = options;
  const dir = await localFolder(checkpoint, download);
  return openLocalEngine(dir, {
    name: checkpoint,
    ...local,
    ...(adapter === undefined ? {} : { adapter: await localFolder(adapter, download) }),
  });
}

/** Opens a checkpoint for training; see openEngine for its name. `weights` is not heeded. */
export async function openTrainer(
  checkpoint: string,
  settings: TrainerSettings,
  options: EngineOptions = {},
): Promise<Trainer> {
  const { download = {}, adapter, ...local } = options;
  const dir = await localFolder(checkpoint, download);
  return openLocalTrainer(dir, settings, {
    name: checkpoint,
    ...local,
    ...(adapter === undefined ? {} : { adapter: await localFolder(adapter, download) }),
  });
}

/** The folder itself, or the snapshot that an `hf://` name is downloaded to. */
export async function localFolder(name: string, job: JobOptions): Promise<string> {
  return isHubUri(name) ? downloadCheckpoint(name, job) : name;
}
