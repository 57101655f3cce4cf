import { basename, extname, join } from "node:path";

import { rankStore, type StoreScores } from "../../attribution/rank-store.ts";
import { readBehavior, type StoredBehavior } from "../../behavior/behavior-file.ts";
import { reportRankings } from "../../ranking/ranking-report.ts";
import { writeRankings } from "../../ranking/write-ranking.ts";
import { openStore } from "../../store/open-store.ts";
import { readStoreTable } from "../../store/read-store-table.ts";
import { writeFileAtomic } from "../../util/atomic-file.ts";
import { chooseLayer, type ChosenLayer } from "../choose-layer.ts";
import type { Experiment } from "../schema.ts";
import { readSkipped } from "../skipped.ts";
import type { Stage, StageWork } from "../stage.ts";
import { BEHAVIOR_NAME } from "./behavior.ts";
import { STORE_NAME } from "./embed.ts";

/** All pairs at the chosen layer, best first. */
export const RANKING_NAME = "ranking.parquet";
/** The chosen layer, and the report of every layer's ranking. */
export const RANKING_REPORT_NAME = "ranking.json";

/** What `ranking.json` holds beside the reports. */
export interface RankStageReport extends ChosenLayer {
  /** Unrelated behaviours that there was nothing to make of, and why; absent where there are none. */
  readonly skippedNulls?: readonly SkippedNull[] | undefined;
  readonly rankings: ReturnType<typeof reportRankings>;
}

/** An unrelated behaviour that the verdict could not be held to. */
export interface SkippedNull {
  readonly behavior: string;
  readonly reason: string;
}

/** What an entry of attribution.nulls is called in results: drift, or its file's name. */
export const nullBehavior = (entry: string): string => basename(entry, extname(entry));

/** What the stage of the i-th unrelated behaviour is called. */
export const nullName = (i: number): string => `null-${i + 1}`;

/** Scores and ranks all stored pairs for the behaviour. */
export function rankStage({ attribution, behavior, engine }: Experiment): Stage {
  const { scorer, layer } = attribution;
  const nulls = attribution.nulls.map((entry, i) => ({
    name: nullName(i),
    behavior: nullBehavior(entry),
  }));
  const { nullDirections } = behavior;
  return {
    kind: "rank",
    name: "",
    version: 5,
    settings: { scorer, layer, nullDirections, threads: engine.threads ?? null },
    inputs: {
      store: { stage: "embed" },
      behavior: { stage: "behavior" },
      ...Object.fromEntries(nulls.map(({ name }) => [name, { stage: `behavior-${name}` }])),
    },
    run: async (work) => {
      const store = await openStore(join(work.input("store"), STORE_NAME));
      const stored = await readBehavior(join(work.input("behavior"), BEHAVIOR_NAME));
      const chosen = await chooseLayer(work.input("behavior"), layer);
      const { usable, skipped } = await openNulls(nulls, work);
      const scores = await rankStore(store, [stored], {
        scorer,
        nullDirections,
        nullBehaviors: usable,
        progress: work.progress("pairs"),
        threads: engine.threads,
        signal: work.signal,
      });
      const table = await readStoreTable(store);
      const rankings = reportRankings(table, scores);
      noteUnstableNulls(rankings, chosen.layer, work);
      await writeRankings(
        join(work.directory, RANKING_NAME),
        table,
        atLayer(scores, chosen.layer),
        store.manifest.pairs.contentHash,
      );
      const report: RankStageReport = {
        ...chosen,
        ...(skipped.length === 0 ? {} : { skippedNulls: skipped }),
        rankings,
      };
      await writeFileAtomic(
        join(work.directory, RANKING_REPORT_NAME),
        `${JSON.stringify(report, undefined, 2)}\n`,
      );
    },
  };
}

function noteUnstableNulls(
  rankings: RankStageReport["rankings"],
  layer: number,
  work: StageWork,
): void {
  const verdict = rankings.find((ranking) => ranking.layer === layer)?.verdict;
  for (const { behavior, reason } of verdict?.notHeldTo ?? []) {
    work.progress("pairs").note(`verdict not held to ${behavior}: ${reason}`);
  }
}

async function openNulls(
  nulls: readonly { readonly name: string; readonly behavior: string }[],
  work: StageWork,
): Promise<{ readonly usable: StoredBehavior[]; readonly skipped: SkippedNull[] }> {
  const usable: StoredBehavior[] = [];
  const skipped: SkippedNull[] = [];
  for (const { name, behavior } of nulls) {
    const folder = work.input(name);
    const reason = await readSkipped(folder);
    if (reason === undefined) usable.push(await readBehavior(join(folder, BEHAVIOR_NAME)));
    else skipped.push({ behavior, reason });
  }
  return { usable, skipped };
}

function atLayer({ layers, rankings }: StoreScores, layer: number): StoreScores {
  return { layers, rankings: rankings.filter((ranking) => ranking.layer === layer) };
}
