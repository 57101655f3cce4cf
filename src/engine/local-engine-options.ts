import type { RendererOptions } from "../model/prompt-renderer.ts";
import type { Device } from "../runtime/device.ts";
import type { Precision } from "./precision.ts";

/** Tokens of a batch, unless the user says otherwise; see docs/benchmarks.md for the choice. */
export const DEFAULT_BATCH_TOKENS = 1024;

/** How rows become tokens: see RendererOptions. */
export interface LocalEngineOptions extends RendererOptions {
  /** As the user named the checkpoint, for manifests. Default: the folder. */
  readonly name?: string | undefined;
  /** Folder of a LoRA adapter in PEFT layout, merged on load. */
  readonly adapter?: string | undefined;
  /** Default "cpu". */
  readonly device?: Device | undefined;
  /** Threads inside one op; default: one for each core. */
  readonly threads?: number | undefined;
  /** How weights are held. Default "F32". */
  readonly precision?: Precision | undefined;
  /** Padded tokens of one batch at most. */
  readonly batchTokens?: number | undefined;
  /**
   * "shared": one copy of the weights serves every graph. "constant": written into each graph, which packs them for the matrix
   * kernels; 2 GiB at most. Default: shared, but packed for the steps of sampling where that takes 1 GiB at most, which makes those
   * nearly twice as fast.
   */
  readonly weights?: "shared" | "constant" | undefined;
  /** Told once, on opening, what is odd about the checkpoint's files and does not stop their use. */
  readonly onWarning?: ((line: string) => void) | undefined;
}
