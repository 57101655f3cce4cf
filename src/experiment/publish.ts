/** @file What people look for in the experiment's own folder: always of the settings that `run.json` has. */
import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { type ExperimentResult, RESULT, TABLE_NAME } from "../runs/result.ts";
import { writeFileAtomic } from "../util/atomic-file.ts";
import { rank } from "../verbs/rank.ts";
import { assembleResult } from "./assemble-result.ts";
import type { Planned } from "./plan-inputs.ts";
import type { FinishedStage } from "./run-stages.ts";

const RANKING_NAME = rank.outputs.out.artifact.name;

/** Takes away what a run of other settings left. */
export async function retract(
  out: string,
  names: readonly string[] = [RANKING_NAME, RESULT.name, TABLE_NAME],
): Promise<void> {
  for (const name of names) await rm(join(out, name), { force: true });
}

/** The ranking of the first method, where it is there; else none. */
export async function publishRanking(
  out: string,
  finished: readonly FinishedStage[],
): Promise<void> {
  const ranking = finished.find(({ stage }) => stage.kind === "rank");
  if (ranking === undefined) return retract(out, [RANKING_NAME]);
  const made = join(out, ranking.directory, RANKING_NAME);
  await writeFileAtomic(join(out, RANKING_NAME), createReadStream(made));
}

/** The result, of which `finished` has every stage, and its table for people. */
export async function publishResult(
  out: string,
  finished: readonly FinishedStage[],
  planned: Planned,
  table: ((result: ExperimentResult) => string) | undefined,
): Promise<void> {
  const result = await assembleResult(planned, (id) => {
    const found = finished.find((each) => each.id === id);
    if (found === undefined) throw new Error(`internal: no stage ${id}`);
    return join(out, found.directory);
  });
  // Never a table beside another result, also where the run is killed here.
  await retract(out, [TABLE_NAME]);
  await RESULT.write(join(out, RESULT.name), result);
  if (table !== undefined) await writeFileAtomic(join(out, TABLE_NAME), `${table(result)}\n`);
}
