import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { rankingQuality, type RankingQuality } from "../../ranking/ranking-quality.ts";
import { markPlanted, readRankings } from "../../ranking/read-ranking.ts";
import { writeFileAtomic } from "../../util/atomic-file.ts";
import { hashValue } from "../../util/hash.ts";
import type { Stage } from "../stage.ts";
import { RANKING_NAME } from "./rank.ts";

const QUALITY_NAME = "quality.json";

/** How well the ranking finds the planted pairs. */
export interface PlantedQuality extends RankingQuality {
  /** Planted pairs that have no vector and so no rank. */
  readonly absent: number;
}

/** Holds the ranking to the planted truth, which no stage before it has seen: `quality.json`. */
export function qualityStage(planted: readonly string[]): Stage {
  return {
    kind: "quality",
    name: "",
    version: 1,
    settings: {},
    inputs: { ranking: { stage: "rank" }, planted: { content: hashValue(planted) } },
    run: async ({ directory, input }) => {
      const [ranking] = await readRankings(join(input("ranking"), RANKING_NAME));
      const { isPlanted, absent } = markPlanted(ranking!, new Set(planted)); // has one at least
      const quality: PlantedQuality = { absent, ...rankingQuality(ranking!.scores, isPlanted) };
      const path = join(directory, QUALITY_NAME);
      await writeFileAtomic(path, `${JSON.stringify(quality, undefined, 2)}\n`);
    },
  };
}

/** Reads the quality of a finished stage. */
export async function readQuality(directory: string): Promise<PlantedQuality> {
  // Our own file, hashed when it was written.
  return JSON.parse(await readFile(join(directory, QUALITY_NAME), "utf8")) as PlantedQuality;
}
