/** @file How many stages run side by side, and the threads that then do their arithmetic. */
import { availableParallelism } from "node:os";

import type { CheckpointSize } from "../engine/checkpoint-size.ts";
import { freeBytes } from "../engine/expect-memory.ts";
import { createThreadHost, type ThreadHost } from "../engine/threads/thread-host.ts";
import { packageFile } from "../util/package-file.ts";
import type { Experiment } from "./sections.ts";

/**
 * Weights up to which a checkpoint counts as small: its matrices are so small that a second thread waits more than it works. See
 * docs/decisions.md.
 */
const SMALL = 10_000_000;

/** Bytes of a weight in training: itself, its gradient, two moments, and copies in graphs. */
const WEIGHT_BYTES = 24;
/** Bytes of a logit and of what its gradient takes beside it, for each token of a batch. */
const LOGIT_BYTES = 12;
const BATCH_TOKENS = 1024;
/** A thread, its libraries, and the activations of a batch. */
const THREAD_BYTES = 300e6;

/** What the number of stages side by side depends on. */
interface Room {
  readonly engine: Experiment["engine"];
  readonly size: CheckpointSize;
  /** Default: those of this machine. */
  readonly cores?: number | undefined;
  /** Bytes. Default: what this process can still get. */
  readonly free?: number | undefined;
}

/**
 * Stages that run side by side, 1 at least: as many as the user said, else one for each core where the checkpoint is small and 1 where it is
 * not; never more than fit into memory, and 1 on any other place than this machine's processor.
 */
export function stagesAtOnce({
  engine,
  size,
  cores = availableParallelism(),
  free = freeBytes(),
}: Room): number {
  if (engine.kind !== "local" || engine.device !== "cpu") return 1;
  const { dim, headParameters, blockParameters, layerCount } = size;
  const weights = layerCount * blockParameters + headParameters;
  const { batchTokens = BATCH_TOKENS, threads = 1 } = engine;
  const logits = batchTokens * (headParameters / dim);
  const bytes = weights * WEIGHT_BYTES + logits * LOGIT_BYTES + THREAD_BYTES;
  const wanted = engine.stages ?? (weights <= SMALL ? Math.floor(cores / threads) : 1);
  return Math.max(1, Math.min(wanted, Math.floor(free / bytes)));
}

/** Threads for so many stages at once, which share the cores; undefined where one is enough, or where this is not the built package. */
export function openStageThreads(
  atOnce: number,
  cores: number = availableParallelism(),
): ThreadHost | undefined {
  // A thread starts without the loader that reads TypeScript.
  if (atOnce === 1 || import.meta.url.endsWith(".ts")) return undefined;
  const threads = Math.max(1, Math.floor(cores / atOnce));
  return createThreadHost({ file: packageFile("dist/engine/thread.js"), threads });
}
