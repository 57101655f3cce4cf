import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { Edit } from "../../edit/edit.ts";
import { readPairTable } from "../../edit/pair-table.ts";
import { planEdit } from "../../edit/plan-edit.ts";
import { readRanking } from "../../ranking/ranking-file.ts";
import { writeFileAtomic } from "../../util/atomic-file.ts";
import type { Arm } from "../arms.ts";
import type { ExperimentInputs } from "../experiment-inputs.ts";
import type { Stage } from "../stage.ts";
import { RANKING_NAME } from "./rank.ts";

const EDIT_NAME = "edit.json";

/** Decides which pairs an arm edits: `edit.json` with their ids, sources and counts. Random arms are drawn anew for each seed. */
export function editStage(arm: Arm, seed: number, inputs: ExperimentInputs): Stage {
  const { action, pick, top, sources, by, minLift } = arm;
  const isRandom = pick !== "chosen";
  const settings = { action, pick, top, sources, by, minLift, seed: isRandom ? seed : 0 };
  return {
    kind: "edit",
    name: editName(arm, seed),
    version: 1,
    settings,
    inputs: { pairs: { content: inputs.pairs.contentHash }, ranking: { stage: "rank" } },
    run: async ({ directory, input, signal }) => {
      const { contentHash } = inputs.pairs;
      const table = await readPairTable(inputs.pairs.read({ signal }), { by, contentHash });
      const ranking = await readRanking(join(input("ranking"), RANKING_NAME));
      // Warnings name the ranking: results hold no path of this machine.
      const file = ranking.file && { ...ranking.file, path: RANKING_NAME };
      const edit = planEdit(table, settings, { ...ranking, file });
      await writeFileAtomic(join(directory, EDIT_NAME), `${JSON.stringify(edit, undefined, 1)}\n`);
    },
  };
}

/** The stage's name: one for all seeds where nothing is drawn. */
export function editName(arm: Arm, seed: number): string {
  return arm.pick === "chosen" ? arm.id : `${arm.id}-seed${seed}`;
}

/** Reads the edit of a finished stage. */
export async function readEdit(directory: string): Promise<Edit> {
  // Our own file, hashed when it was written.
  return JSON.parse(await readFile(join(directory, EDIT_NAME), "utf8")) as Edit;
}
