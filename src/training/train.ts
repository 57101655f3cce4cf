import { UnsupportedError } from "../util/errors.ts";
import type { PairSource, SftSource } from "./examples.ts";
import type { DpoSettings, SftSettings, TrainRequest } from "./settings.ts";

/** What a finished run tells; also in train.json. */
export interface TrainResult {
  /** The folder of the final checkpoint, or of the adapter. */
  readonly checkpoint: string;
  readonly steps: number;
  readonly examples: number;
  readonly unusable: number;
  /** Wall-clock seconds over all sessions of the run, reference log-probabilities included. */
  readonly seconds: number;
  /** Tokens that went through the model while training, padding left out. */
  readonly tokens: number;
  readonly flops: number;
  /** Means over the last tenth of the steps. */
  readonly final: Readonly<Record<string, number>>;
}

/**
 * Trains a checkpoint on preference pairs. Called again after an interruption it goes on from the last state and ends in the same
 * bytes; called again after its end it returns the result at once. Throws ConfigError where `out` holds another run or a run with
 * other settings (naming the difference), RuntimeError where the loss is not finite, naming step and pairs.
 */
export async function trainDpo(
  _pairs: PairSource,
  _settings: DpoSettings,
  _request: TrainRequest,
): Promise<TrainResult> {
  throw new UnsupportedError("train: not there yet");
}

/** Trains a checkpoint on responses or on plain text; otherwise as trainDpo. */
export async function trainSft(
  _examples: SftSource,
  _settings: SftSettings,
  _request: TrainRequest,
): Promise<TrainResult> {
  throw new UnsupportedError("train: not there yet");
}
