import { join } from "node:path";

import { RESULT } from "../../runs/result.ts";
import { certainty } from "../certainty.ts";
import { tellConclusions } from "../conclusions.ts";
import { DECISIONS_NAME } from "../decisions-name.ts";
import { headline } from "../headline.ts";
import { nextSteps } from "../next-steps.ts";
import { readRankings } from "../read-rankings.ts";
import { definePart } from "../report-part.ts";
import { commandsOf, pairArguments, shellWords, shownPath } from "../shown-command.ts";

/** What a run found, in one sentence, in figures, and what to do with it. */
export const overviewPart = definePart({
  name: "overview",
  read: async ({ run, pairs, forecast }) => {
    const { manifest, settings } = run;
    const rankings = await readRankings(run);
    const [first] = rankings;
    const [again] = await commandsOf(run);
    const result = await RESULT.find(join(run.path, RESULT.name));
    return {
      name: manifest.name,
      /** Of the run, as commands take it. */
      words: {
        pairs: shellWords(pairArguments(run)),
        /** Where decisions of people are written unless they are told to be elsewhere. */
        decisions: {
          name: DECISIONS_NAME,
          path: shellWords([join(shownPath(run.path), DECISIONS_NAME)]),
        },
      },
      checkpoint: settings.checkpoints.before,
      pairFiles: settings.pairs.files,
      startedAt: manifest.startedAt,
      finishedAt: manifest.finishedAt,
      /** Stages that are not done. */
      missing: manifest.stages.filter(({ cost }) => cost === undefined).map(({ id }) => id),
      stages: manifest.stages.map(({ id, kind, name, cost }) => ({ id, kind, name, cost })),
      total: manifest.total,
      currency: manifest.experiment.cost.currency,
      /** Why the text of the pairs is not here; undefined where it is. */
      textsAbsent: pairs.absent,
      hasForecast: forecast !== undefined,
      /** Undefined where the run has not ended. */
      result,
      headline: headline(result),
      certainty: certainty(result, {
        confounds: first?.ranking.confounds,
        judgedByPeople: settings.judge?.meaning !== undefined,
      }),
      conclusions: result === undefined ? [] : tellConclusions(result),
      next: nextSteps(result, {
        run,
        rankings,
        confounds: first?.ranking.confounds,
        again: again!,
      }),
    };
  },
});
