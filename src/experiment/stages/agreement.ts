import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { readHumanLabels } from "../../judge/human-labels.ts";
import { readVerdicts } from "../../judge/verdict.ts";
import { type JudgeBesidePeople, judgeBesidePeople } from "../../rates/judge-beside-people.ts";
import { writeFileAtomic } from "../../util/atomic-file.ts";
import { ConfigError } from "../../util/errors.ts";
import type { ExperimentInputs, FileInput } from "../experiment-inputs.ts";
import { inSetting } from "../in-setting.ts";
import { readSkipped, writeSkipped } from "../skipped.ts";
import type { Stage } from "../stage.ts";
import { VERDICTS_NAME } from "./judge.ts";

const AGREEMENT_NAME = "agreement.json";

/** The judge's verdicts of another stage beside what people said of some of the rollouts: `agreement.json`. */
export function agreementStage(judged: Stage, labels: FileInput): Stage {
  const id = `${judged.kind}-${judged.name}`;
  return {
    kind: judged.kind === "judge" ? "agreement" : "evaluation-agreement",
    name: judged.name,
    version: 5,
    settings: {},
    inputs: { judged: { stage: id }, labels: { content: labels.sha256 } },
    run: async ({ directory, input }) => {
      const skipped = await readSkipped(input("judged"));
      if (skipped !== undefined) return writeSkipped(directory, skipped);
      const verdicts = await readVerdicts(join(input("judged"), VERDICTS_NAME));
      const said = await readHumanLabels(labels.path);
      const found = await inSetting(`judge.labels.${id}`, async () =>
        judgeBesidePeople(verdicts, said),
      );
      if (found.agreement.labelled === 0) {
        throw new ConfigError(
          `judge.labels.${id}: expected labels of rollouts that have a verdict, got none of ${found.labels}`,
          { hint: "Ids of rollouts repeat between checkpoints; the labels are of one stage's." },
        );
      }
      const path = join(directory, AGREEMENT_NAME);
      await writeFileAtomic(path, `${JSON.stringify(found, undefined, 2)}\n`);
    },
  };
}

/** The stages that compare a judge with people, by the id of the stage that judged. */
export function agreementIds({
  judge,
  labels,
}: ExperimentInputs): Readonly<Record<string, string>> {
  if (judge?.kind === "human") return {};
  return Object.fromEntries(
    Object.keys(labels).map((judged) => [judged, judged.replace("judge", "agreement")]),
  );
}

/** What a finished stage found; undefined where it had nothing to do. */
export async function readAgreement(directory: string): Promise<JudgeBesidePeople | undefined> {
  if ((await readSkipped(directory)) !== undefined) return undefined;
  // Our own file, hashed when it was written.
  return JSON.parse(await readFile(join(directory, AGREEMENT_NAME), "utf8")) as JudgeBesidePeople;
}
