import { basename, extname, join } from "node:path";

import { probe } from "../../attribution/methods/probe.ts";
import { storeRows } from "../../attribution/pair-rows.ts";
import { scorePairs } from "../../attribution/score-pairs.ts";
import { readBehavior, type StoredBehavior } from "../../behavior/behavior-file.ts";
import { RANK_REPORT, type RankingReport, reportRankings } from "../../ranking/ranking-report.ts";
import type { UnusedNull } from "../../ranking/signal-verdict.ts";
import { writeRankings } from "../../ranking/write-ranking.ts";
import { openStore } from "../../store/open-store.ts";
import { readStoreTable } from "../../store/read-store-table.ts";
import { chooseLayer } from "../choose-layer.ts";
import type { Experiment } from "../schema.ts";
import { readSkipped } from "../skipped.ts";
import type { Stage, StageWork } from "../stage.ts";
import { BEHAVIOR_NAME } from "./behavior.ts";
import { STORE_NAME } from "./embed.ts";

/** All pairs at the chosen layer, best first. */
export const RANKING_NAME = "ranking.parquet";
/** The chosen layer, and the report of every layer's ranking. */
export const RANKING_REPORT_NAME = RANK_REPORT.name;

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
    version: 6,
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
      const rows = storeRows(await readStoreTable(store));
      const given = { wanted: [stored], unrelated: usable };
      const scores = await scorePairs(
        probe,
        { rows, store, behavior: given },
        { scorer, nullDirections },
        { progress: work.progress("pairs"), threads: engine.threads, signal: work.signal },
      );
      const rankings = reportRankings(rows, scores);
      noteUnstableNulls(rankings, chosen.layer, work);
      await writeRankings(
        join(work.directory, RANKING_NAME),
        rows,
        scores.filter((ranking) => ranking.layer === chosen.layer),
        store.manifest.pairs.contentHash,
      );
      const skippedNulls = skipped.length === 0 ? undefined : skipped;
      await RANK_REPORT.write(join(work.directory, RANKING_REPORT_NAME), {
        ...chosen,
        skippedNulls,
        rankings,
      });
    },
  };
}

function noteUnstableNulls(
  rankings: readonly RankingReport[],
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
): Promise<{ readonly usable: StoredBehavior[]; readonly skipped: UnusedNull[] }> {
  const usable: StoredBehavior[] = [];
  const skipped: UnusedNull[] = [];
  for (const { name, behavior } of nulls) {
    const folder = work.input(name);
    const reason = await readSkipped(folder);
    if (reason === undefined) usable.push(await readBehavior(join(folder, BEHAVIOR_NAME)));
    else skipped.push({ behavior, reason });
  }
  return { usable, skipped };
}
