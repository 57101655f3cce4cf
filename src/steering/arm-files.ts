/** @file Where an arm of a steering stands in the output folder. */
import { existsSync } from "node:fs";
import { readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";

import { removeRollouts } from "../rollouts/rollout-sink.ts";

/** The folder of all arms, beneath the output folder. */
const ARMS = "arms";

export interface ArmPaths {
  readonly folder: string;
  readonly rollouts: string;
  readonly verdicts: string;
  readonly coherence: string;
}

export function armPaths(out: string, name: string): ArmPaths {
  const folder = join(out, ARMS, name);
  return {
    folder,
    rollouts: join(folder, "rollouts.jsonl"),
    verdicts: join(folder, "verdicts.jsonl"),
    coherence: join(folder, "coherence.json"),
  };
}

/** Removes the files of all arms, and the folders that hold nothing else. */
export async function removeArms(out: string): Promise<void> {
  const arms = join(out, ARMS);
  if (!existsSync(arms)) return;
  for (const entry of await readdir(arms, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const { folder, rollouts, verdicts, coherence } = armPaths(out, entry.name);
    await removeRollouts(rollouts);
    for (const path of [verdicts, coherence]) await rm(path, { force: true });
    await removeIfEmpty(folder);
  }
  await removeIfEmpty(arms);
}

async function removeIfEmpty(folder: string): Promise<void> {
  await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
  });
}
