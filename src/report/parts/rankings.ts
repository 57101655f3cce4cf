import { join } from "node:path";

import { groupName } from "../../ranking/group-column.ts";
import { type LiftTable, liftTables } from "../../ranking/lift-table.ts";
import { readRankedRows } from "../../ranking/read-ranked-rows.ts";
import { RESULT } from "../../runs/result.ts";
import { editedTops } from "../edited-tops.ts";
import { readRankings, type RunRanking } from "../read-rankings.ts";
import { definePart } from "../report-part.ts";

/** What is known of each method's ranking, pairs aside. */
export const rankingsPart = definePart({
  name: "rankings",
  read: async ({ run, signal }) => {
    const found = await readRankings(run);
    if (found.length === 0) return undefined;
    const result = await RESULT.find(join(run.path, RESULT.name));
    return Promise.all(
      found.map(async (each) => {
        const { label, stage, ranking, report } = each;
        const tops = editedTops(result, label);
        return {
          label,
          stage,
          cost: report.cost,
          skippedNulls: report.skippedNulls,
          layerReason: report.layerReason,
          /** Sizes of the tops that were edited, the one that says most first. */
          editedTops: tops,
          ranking: { ...ranking, lifts: await liftsWith(tops, each, signal) },
        };
      }),
    );
  },
});

/** The ranking's tables of sources, and those of further sizes of the top. */
async function liftsWith(
  tops: readonly number[],
  { path, ranking }: RunRanking,
  signal: AbortSignal | undefined,
): Promise<readonly LiftTable[]> {
  const { lifts, layer, by, scored, candidates } = ranking;
  const more = tops.filter((top) => top <= scored && lifts.every(({ k }) => k !== top));
  // Of candidates of another ranking the file does not say which pairs the top is held to.
  if (more.length === 0 || by !== "source" || candidates !== undefined) return lifts;
  const sources: string[] = [];
  const names = new Map<string, string>(); // one string of each, not one of each row
  for await (const { score, source } of readRankedRows(path, layer, { signal })) {
    if (score === undefined) continue; // behind all that have one
    const name = groupName(source ?? null);
    if (!names.has(name)) names.set(name, name);
    sources.push(names.get(name)!);
  }
  const order = Uint32Array.from(sources.keys()); // as the file has them
  return [...lifts, ...liftTables(sources, order, more)].toSorted((a, b) => a.k - b.k);
}
