import type { JobOptions } from "../util/progress.ts";
import type { ClusterOptions } from "./cluster-options.ts";
import type { Engine } from "./engine.ts";
import type { LocalEngineOptions } from "./local-engine-options.ts";
import type { Trainer, TrainerSettings } from "./trainer.ts";

export interface EngineOptions extends LocalEngineOptions, ClusterOptions {
  /** Shows the download of an `hf://` checkpoint. */
  readonly download?: JobOptions | undefined;
  /** News of the work: a restart, a wait. */
  readonly onNote?: ((line: string) => void) | undefined;
}

/** A place where checkpoints run. It is handed to what needs one, so that a second kind is one file and its line in ENGINES. */
export interface EngineHost {
  /** As `--engine` and `engine.kind` call it. */
  readonly kind: string;
  /**
   * Opens a checkpoint: a folder in Hugging Face layout or `hf://owner/name@revision`, which is downloaded into the standard
   * cache first. An adapter may be either as well. Throws ConfigError, FormatError or UnsupportedError naming file and key.
   */
  open(checkpoint: string, options?: EngineOptions): Promise<Engine>;
  /** Opens a checkpoint for training. `weights` is not heeded. */
  openTrainer(
    checkpoint: string,
    settings: TrainerSettings,
    options?: EngineOptions,
  ): Promise<Trainer>;
}
