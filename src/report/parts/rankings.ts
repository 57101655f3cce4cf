import { readRankings } from "../read-rankings.ts";
import { definePart } from "../report-part.ts";

/** What is known of each method's ranking, pairs aside. */
export const rankingsPart = definePart({
  name: "rankings",
  read: async ({ run }) => {
    const found = await readRankings(run);
    return found.length === 0
      ? undefined
      : found.map(({ label, stage, ranking, report }) => ({
          label,
          stage,
          cost: report.cost,
          skippedNulls: report.skippedNulls,
          layerReason: report.layerReason,
          ranking,
        }));
  },
});
