import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { RECORD, type StageRecord } from "../runs/stage-record.ts";
import { FormatError } from "../util/errors.ts";
import { ifMissing } from "../util/read-fault.ts";

/** What stages of one kind took, all those together that the folder still has. */
export interface EarlierCosts {
  readonly stages: number;
  readonly seconds: number;
  readonly tokens: number;
  readonly flops: number;
  readonly bytes: number;
}

/** Reads what every stage took that is in the experiment's folder, whatever its settings were, by kind. */
export async function readEarlierCosts(out: string): Promise<ReadonlyMap<string, EarlierCosts>> {
  const found = new Map<string, EarlierCosts>();
  for (const name of (await readdir(join(out, "stages")).catch(ifMissing)) ?? []) {
    const record = await RECORD.find(join(out, "stages", name, RECORD.name)).catch(ignoreDamage);
    if (record === undefined) continue;
    const { stages, seconds, tokens, flops, bytes } = found.get(record.kind) ?? NOTHING;
    found.set(record.kind, {
      stages: stages + 1,
      seconds: seconds + record.cost.seconds,
      tokens: tokens + record.cost.tokens,
      flops: flops + record.cost.flops,
      bytes: record.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, bytes),
    });
  }
  return found;
}

/** Floating-point operations a second of all stages that ran models; undefined where none did. */
export function earlierSpeed(costs: ReadonlyMap<string, EarlierCosts>): number | undefined {
  const ran = [...costs.values()].filter(({ flops }) => flops > 0);
  const sum = (of: (cost: EarlierCosts) => number): number =>
    ran.reduce((total, cost) => total + of(cost), 0);
  const seconds = sum((cost) => cost.seconds);
  return seconds > 0 ? sum((cost) => cost.flops) / seconds : undefined;
}

const NOTHING: EarlierCosts = { stages: 0, seconds: 0, tokens: 0, flops: 0, bytes: 0 };

/** A record that cannot be read tells no rate; the run that needs it will say so. */
function ignoreDamage(error: unknown): StageRecord | undefined {
  if (error instanceof FormatError) return undefined;
  throw error;
}
