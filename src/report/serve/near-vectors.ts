/** @file What lies near any pair in the space of vectors, one pair at a time: the store is asked for single rows. */
import { join } from "node:path";

import { BEHAVIOR_FILE } from "../../behavior/behavior-file.ts";
import { VECTORS } from "../../store/open-store.ts";
import { streamShardTables } from "../../store/read-shard.ts";
import { readStoreVector } from "../../store/read-vector.ts";
import type { RunFolder } from "../run-folder.ts";
import { nearest, type Neighbors, splitRows, toUnit } from "../vector-neighbors.ts";
import type { PairDatabase } from "./pair-database.ts";

/** The neighbours of a pair; undefined for one without a vector. */
export type FindNear = (id: string) => Promise<Neighbors | undefined>;

/** Opens the vectors of a run; `top` are the ids among which the nearest pairs are looked for. Undefined where the run has no vectors. */
export async function openNear(
  run: RunFolder,
  layer: number | undefined,
  database: PairDatabase,
  top: readonly string[],
): Promise<FindNear | undefined> {
  const [embedded, behaved] = [run.stage("embed"), run.stage("behavior")];
  if (embedded === undefined || behaved === undefined || layer === undefined) return undefined;
  const store = await VECTORS.read(join(embedded, VECTORS.name));
  const { bank, scenarioIds } = await BEHAVIOR_FILE.read(join(behaved, BEHAVIOR_FILE.name));
  await database.run("CREATE OR REPLACE TABLE vectors (id VARCHAR, row INTEGER)");
  const rows = await database.append("vectors", ["VARCHAR", "INTEGER"]);
  let row = 0;
  for await (const { table } of streamShardTables(store)) {
    for (const id of table.ids) rows.add([id, row++]);
  }
  rows.close();
  const unitOf = async (id: string): Promise<Float32Array | undefined> => {
    const [found] = await database.rows("SELECT row FROM vectors WHERE id = $1", [id]);
    if (found === undefined) return undefined;
    return toUnit((await readStoreVector(store, layer, Number(found[0]))).values);
  };
  const scenarios = splitRows(bank.get(layer)!, store.manifest.dim).map(
    (vector, i) => [scenarioIds[i]!, toUnit(vector)] as const,
  );
  const topVectors: [string, Float32Array][] = [];
  for (const id of top) {
    const vector = await unitOf(id);
    if (vector !== undefined) topVectors.push([id, vector]);
  }
  return async (id) => {
    const vector = await unitOf(id);
    if (vector === undefined) return undefined;
    const others = topVectors.filter(([other]) => other !== id);
    return {
      nearestPairs: nearest(vector, others),
      nearestScenarios: nearest(vector, scenarios),
    };
  };
}
