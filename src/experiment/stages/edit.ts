import { join } from "node:path";

import { EDIT, type Edit } from "../../edit/edit.ts";
import { readPairTable } from "../../edit/pair-table.ts";
import { planEdit } from "../../edit/plan-edit.ts";
import { readRanking } from "../../ranking/ranking-file.ts";
import type { Arm } from "../arms.ts";
import type { ExperimentInputs } from "../experiment-inputs.ts";
import type { Stage } from "../stage.ts";
import { RANKING_NAME } from "./rank.ts";

/** Decides which pairs an arm edits: `edit.json` with their ids, sources and counts. Random arms are drawn anew for each seed. */
export function editStage(arm: Arm, seed: number, inputs: ExperimentInputs): Stage {
  const { action, pick, top, sources, by, minLift } = arm;
  const isRandom = pick !== "chosen";
  const settings = { action, pick, top, sources, by, minLift, seed: isRandom ? seed : 0 };
  return {
    kind: "edit",
    name: editName(arm, seed),
    version: 2,
    settings,
    inputs: { pairs: { content: inputs.pairs.contentHash }, ranking: { stage: "rank" } },
    run: async ({ directory, input, signal }) => {
      const { contentHash } = inputs.pairs;
      const table = await readPairTable(inputs.pairs.read({ signal }), { by, contentHash });
      const ranking = await readRanking(join(input("ranking"), RANKING_NAME));
      // Warnings name the ranking: results hold no path of this machine.
      const file = ranking.file && { ...ranking.file, path: RANKING_NAME };
      await EDIT.write(join(directory, EDIT.name), planEdit(table, settings, { ...ranking, file }));
    },
  };
}

/** The stage's name: one for all seeds where nothing is drawn. */
export function editName(arm: Arm, seed: number): string {
  return arm.pick === "chosen" ? arm.id : `${arm.id}-seed${seed}`;
}

/** Reads the edit of a finished stage. */
export function readEdit(directory: string): Promise<Edit> {
  return EDIT.read(join(directory, EDIT.name));
}
