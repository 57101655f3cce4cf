import { join } from "node:path";

import { AGREEMENT, type JudgeBesidePeople } from "../../rates/judge-beside-people.ts";
import { agreement } from "../../verbs/agreement.ts";
import type { ExperimentInputs, FileInput } from "../experiment-inputs.ts";
import type { Stage } from "../stage.ts";
import { verbStage } from "../verb-stage.ts";

/** The judge's verdicts of another stage beside what people said of some of the rollouts. */
export function agreementStage(judged: Stage, labels: FileInput): Stage {
  return verbStage(agreement, {
    kind: judged.kind === "judge" ? "agreement" : "evaluation-agreement",
    name: judged.name,
    settings: {},
    inputs: {
      verdicts: { stage: `${judged.kind}-${judged.name}` },
      labels: {
        content: labels.sha256,
        setting: `judge.labels.${judged.kind}-${judged.name}`,
        open: () => labels.path,
      },
    },
    outputs: ["out"],
  });
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
  return AGREEMENT.find(join(directory, AGREEMENT.name));
}
