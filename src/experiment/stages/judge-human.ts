import { join } from "node:path";

import { createHumanJudge, readHumanLabels } from "../../judge/human-labels.ts";
import { type Verdict, writeVerdicts } from "../../judge/verdict.ts";
import { ConfigError } from "../../util/errors.ts";
import type { FileInput } from "../experiment-inputs.ts";
import { inSetting } from "../in-setting.ts";
import type { StageWork } from "../stage.ts";
import { withAbsent } from "./absent-rollouts.ts";
import { ROLLOUTS_NAME } from "./planned-rollouts.ts";
import { readStageRollouts } from "./rollouts.ts";

/**
 * Writes as verdicts what people said; rollouts without a label are missing. Throws ConfigError with the command that labels them where
 * the experiment names no labels for the stage, or none of them is of its rollouts.
 */
export async function judgeByPeople(
  { behavior }: { readonly behavior: string },
  labels: FileInput | undefined,
  { input, signal, progress }: StageWork,
  { path, stage }: { readonly path: string; readonly stage: string },
): Promise<void> {
  const rollouts = join(input("rollouts"), ROLLOUTS_NAME);
  const hint = `culprit judge ${rollouts} --review --behavior ${JSON.stringify(behavior)} --sample 100000 --out ${stage}.jsonl writes them; then judge.labels: { ${stage}: ${stage}.jsonl }.`;
  if (labels === undefined) {
    throw new ConfigError(`judge.labels: expected a file of labels for ${stage}, got none`, {
      hint,
    });
  }
  const said = await readHumanLabels(labels.path);
  const judge = createHumanJudge(said, behavior);
  const shown = progress("rollouts");
  const verdicts = async function* (): AsyncGenerator<Verdict> {
    yield* judge.judge(readStageRollouts(input("rollouts")), {
      progress: shown,
      signal,
    });
    if (judge.unchecked() > 0) {
      shown.note(`${judge.unchecked()} labels matched by the rollout's id alone`);
    }
    if (judge.unused() < said.size) return;
    throw new ConfigError(
      `judge.labels.${stage}: expected labels of its rollouts, got none of ${said.size}`,
      { hint },
    );
  };
  await inSetting(`judge.labels.${stage}`, () =>
    writeVerdicts(path, withAbsent(verdicts(), input("rollouts"))),
  );
}
