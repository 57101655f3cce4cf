import { join } from "node:path";

import { STORE_COMPLETION } from "../store/vector-store-manifest.ts";
import { listCounts } from "../util/commonest-first.ts";
import type { RunFolder } from "./run-folder.ts";

/** That rows of the data are in no ranking by vectors, with the reasons: a sentence; none where all of them have vectors, or the run has none. */
export async function describeLeftOut(run: RunFolder): Promise<readonly string[]> {
  const ends = await Promise.all(
    run
      .ofKind("embed")
      .map((id) => STORE_COMPLETION.find(join(run.stage(id)!, "vectors", STORE_COMPLETION.name))),
  );
  const unusable = ends.find(
    (end) => end !== undefined && Object.keys(end.unusable).length > 0,
  )?.unusable;
  if (unusable === undefined) return [];
  const rows = Object.values(unusable).reduce((sum, count) => sum + count, 0);
  return [`${rows} rows of the data have no vector and are not listed (${listCounts(unusable)}).`];
}
