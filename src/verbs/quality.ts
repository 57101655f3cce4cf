import { z } from "zod";

import { markPlanted, readPlanted } from "../ranking/planted.ts";
import { readRankings } from "../ranking/ranking-file.ts";
import { type PlantedQuality, QUALITY, rankingQuality } from "../ranking/ranking-quality.ts";
import { topPairs } from "../ranking/ranking-report.ts";
import { formatEstimate, percent } from "../util/figures.ts";
import { nonEmpty } from "../util/setting-kinds.ts";
import { type Column, printable, tableOf } from "../util/text-table.ts";
import { rankingInput } from "./inputs/files.ts";
import { resultOutput } from "./outputs.ts";
import { tops } from "./settings/common.ts";
import { defineVerb, type Input } from "./verb.ts";

const plantedSettings = z.strictObject({
  plantedColumn: nonEmpty
    .optional()
    .describe(
      "The column of a pair file that is true for planted pairs. Absent: none, the file has ids.",
    ),
});

const plantedInput = {
  kind: "planted",
  placeholder: "FILE",
  describe: 'Ids of the planted pairs, {"id"} a line; or the pairs, with a column that tells them.',
  settings: plantedSettings,
  open: ([path = ""], { plantedColumn }) => readPlanted(path, plantedColumn),
} as const satisfies Input<ReadonlySet<string>, typeof plantedSettings>;

export const quality = defineVerb({
  name: "quality",
  summary: "How well a ranking finds the pairs that are known to have caused the behaviour",
  about: `
RANKING is a file that culprit rank --out wrote (or any table with columns id and score). Which pairs are planted is known for
model organisms only: --planted names a file of their ids, one {"id"} a line, or the pair file with --planted-column.

Printed for each ranking: AUROC (0.5 by chance), average precision (the share planted by chance), and recall and precision in
the tops, each with its 95% interval. Equal scores count by expectation over their orders. Pairs without a score rank last.

  culprit quality ranking.parquet --planted planted.jsonl`,
  version: 3,
  inputs: { ranking: { ...rankingInput, isPositional: true }, planted: plantedInput },
  settings: z.strictObject({
    tops: tops.describe("Tops: numbers of pairs or shares. Absent: as many as are planted."),
  }),
  outputs: {
    out: { ...resultOutput(QUALITY, "The figures to write as JSON."), placeholder: "FILE.json" },
  },
  run: async ({ ranking, planted }, { tops: sizes }, { signal }) =>
    (await readRankings(ranking, { signal })).map((table): PlantedQuality => {
      const { ids, scores, file } = table;
      const { isPlanted, absent } = markPlanted(ids, planted);
      const ks = sizes?.map((top) => topPairs(top, ids.length));
      const found = rankingQuality(Float32Array.from(scores), isPlanted, { ks });
      const { method, behavior, layer } = file;
      return { method, behavior, layer, absent, ...found };
    }),
  show: formatQuality,
  warnings: ([first]) =>
    first === undefined || first.absent === 0
      ? []
      : [`${first.absent} of ${first.planted + first.absent} planted pairs are not in the ranking`],
});

function formatQuality(found: readonly PlantedQuality[]): string {
  const first = found[0]!; // a ranking file has one at least
  return [
    `${first.planted} of ${first.pairs} pairs are planted (${percent(first.planted / first.pairs)})`,
    ...tableOf(found, [
      ["ranking", (each) => printable(nameOf(each) || "ranking")],
      ["unscored", ({ unscored }) => unscored],
      ["AUROC [95%]", ({ auroc }) => formatEstimate(auroc)],
      ["average precision [95%]", ({ averagePrecision }) => formatEstimate(averagePrecision)],
      ...first.at.flatMap(({ k }, i): Column<PlantedQuality>[] => [
        [`recall at ${k} [95%]`, ({ at }) => formatEstimate(at[i]!.recall)],
        [`precision at ${k} [95%]`, ({ at }) => formatEstimate(at[i]!.precision)],
      ]),
    ]),
  ].join("\n");
}

const nameOf = ({ method, behavior, layer }: PlantedQuality): string =>
  [method, behavior, layer === undefined ? undefined : `layer ${layer}`]
    .filter((part) => part !== undefined)
    .join(", ");
