/** @file How checkpoints run on a Ray cluster, as the user says it and with every default filled in. */
import { stat } from "node:fs/promises";
import { isAbsolute } from "node:path";

import { ConfigError, UnsupportedError } from "../../util/errors.ts";
import type { EngineOptions } from "../engine-host.ts";
import { expectPrecision, type Precision } from "../precision.ts";

/** Every setting of a session that can change its numbers, and where it runs. */
export interface RaySettings {
  readonly address: string;
  /** Absolute. */
  readonly storage: string;
  readonly workers: number | undefined;
  readonly precision: Precision;
  readonly device: "cpu" | "cuda";
  /** Of one worker on the CPU. */
  readonly threads: number;
  /** Padded tokens of one batch, at most. */
  readonly batchTokens: number;
}

const BATCH_TOKENS = { cpu: 1024, cuda: 16_384 } as const;

/** Fills in the defaults. Throws ConfigError for what is missing or means nothing on a cluster. */
export async function raySettings(options: EngineOptions): Promise<RaySettings> {
  const { address, storage, workers, device = "cpu", weights } = options;
  const precision = expectPrecision("ray", options.precision);
  if (address === undefined) {
    throw new ConfigError("address: expected that of the cluster's dashboard, got none", {
      hint: "engine ray needs it: http://HOST:8265, say.",
    });
  }
  if (storage === undefined) {
    throw new ConfigError("storage: expected a folder that the cluster's nodes see too, got none", {
      hint: "engine ray needs it: token ids and results go through that folder.",
    });
  }
  if (device !== "cpu" && device !== "cuda") {
    throw new UnsupportedError(`device: expected cpu or cuda on a Ray cluster, got ${device}`);
  }
  if (weights !== undefined) {
    throw new ConfigError(`weights: expected none with engine ray, got ${weights}`, {
      hint: "Leave it out: it is about graphs of this process.",
    });
  }
  return {
    address,
    storage: await existingFolder(storage),
    workers,
    precision,
    device,
    threads: options.threads ?? 1,
    batchTokens: options.batchTokens ?? BATCH_TOKENS[device],
  };
}

async function existingFolder(storage: string): Promise<string> {
  if (!isAbsolute(storage)) {
    throw new ConfigError(`storage: expected an absolute path, got ${storage}`, {
      hint: "Every node of the cluster has to see the folder under the same path.",
    });
  }
  const found = await stat(storage).catch((error: NodeJS.ErrnoException) => error);
  if (!(found instanceof Error) && found.isDirectory()) return storage;
  throw new ConfigError(
    `storage: ${storage}: expected a folder, got ${found instanceof Error ? (found.code ?? "none") : "a file"}`,
    { hint: "Make the folder first, where every node of the cluster sees it under the same path." },
  );
}
