import { join } from "node:path";

import { RANK_REPORT, type RankingReport, type RankReport } from "../ranking/ranking-report.ts";
import type { RunFolder } from "./run-folder.ts";

/** The ranking of one method of a run. */
export interface RunRanking {
  /** The method's name, or what the experiment calls this use of it. */
  readonly label: string;
  readonly stage: string;
  /** The file with every pair. */
  readonly path: string;
  /** Of the layer that is used. */
  readonly ranking: RankingReport;
  readonly report: RankReport;
}

/** Reads the reports of all rankings of a run, the first method's first. */
export async function readRankings(run: RunFolder): Promise<readonly RunRanking[]> {
  return Promise.all(
    run.ofKind("rank").map(async (stage): Promise<RunRanking> => {
      const folder = run.stage(stage)!; // of a finished stage
      const report = await RANK_REPORT.read(join(folder, RANK_REPORT.name));
      const ranking =
        report.rankings.find(({ layer }) => layer === report.layer) ?? report.rankings[0]!; // one at least
      const name = stage === "rank" ? ranking.method.name : stage.slice("rank-".length);
      return { label: name, stage, path: join(folder, "ranking.parquet"), ranking, report };
    }),
  );
}
