import { join } from "node:path";

import { markPlanted } from "../../ranking/planted.ts";
import { readRanking } from "../../ranking/ranking-file.ts";
import { type PlantedQuality, QUALITY, rankingQuality } from "../../ranking/ranking-quality.ts";
import { hashValue } from "../../util/hash.ts";
import type { Stage } from "../stage.ts";
import { RANKING_NAME } from "./rank.ts";

/** Holds the ranking to the planted truth, which no stage before it has seen: `quality.json`. */
export function qualityStage(planted: readonly string[]): Stage {
  return {
    kind: "quality",
    name: "",
    version: 1,
    settings: {},
    inputs: { ranking: { stage: "rank" }, planted: { content: hashValue(planted) } },
    run: async ({ directory, input }) => {
      const { ids, scores } = await readRanking(join(input("ranking"), RANKING_NAME));
      const { isPlanted, absent } = markPlanted(ids, new Set(planted));
      await QUALITY.write(join(directory, QUALITY.name), {
        absent,
        ...rankingQuality(Float32Array.from(scores), isPlanted),
      });
    },
  };
}

/** Reads the quality of a finished stage. */
export function readQuality(directory: string): Promise<PlantedQuality> {
  return QUALITY.read(join(directory, QUALITY.name));
}
