import type { ArmRate } from "../rates/evaluation.ts";
import type { ExperimentResult } from "../runs/result.ts";
import { SIGNALS } from "./certainty.ts";
import { describeEdit, mostTelling, type TestedEdit } from "./tested-edit.ts";
import { tellRate, tellReason, told, type ToldFigure, type ToldSentence } from "./told-sentence.ts";

/** The verdict on a run. */
export interface Headline extends ToldSentence {
  /**
   * `shown`: without its top the behaviour is rarer, more than random pairs explain. `unshown`: not told from chance or from random pairs.
   * `ranked`: nothing was trained to test the ranking. `unstable`: the vector is noise. `unfinished`: there is no result.
   */
  readonly kind: "shown" | "unshown" | "ranked" | "unstable" | "unfinished";
}

/** The verdict on a run in one sentence: the best edit beside its random control, or what the ranking alone says. */
export function headline(result: ExperimentResult | undefined): Headline {
  if (result === undefined) {
    return {
      kind: "unfinished",
      ...told`The run has not ended: there is no result yet, and what stands here is a part.`,
    };
  }
  const { probe } = result;
  if (probe.doubt !== undefined) {
    const best = mostTelling(result);
    const doubt = told`behaviour's vector is not stable (${tellReason(probe.doubt, probe.prompts)}), so the ranking is evidence of nothing`;
    return {
      kind: "unstable",
      ...(best === undefined
        ? told`The ${doubt}.`
        : told`${changeOf(result, best)}; the ${doubt}.`),
    };
  }
  return bestEdit(result) ?? rankingAlone(result);
}

function bestEdit(result: ExperimentResult): Headline | undefined {
  const best = mostTelling(result);
  if (best === undefined) return undefined;
  const { edit, arm, control, isShown } = best;
  const beside =
    control === undefined
      ? told`and no random control stands beside that`
      : told`with as many random pairs edited instead in ${percent(control)}`;
  const close = !isShown
    ? "that it is these pairs is not shown"
    : best.seeds < 2
      ? "in this one training it is these pairs, more than chance explains"
      : "it is these pairs, more than chance explains";
  return {
    kind: isShown ? "shown" : "unshown",
    ...told`${changeOf(result, best)}; trained ${describeEdit(edit)} in ${percent(arm)}, ${beside}: ${close}.`,
  };
}

/** How often it happens before and after training. */
const changeOf = ({ behavior }: ExperimentResult, { before, baseline }: TestedEdit): ToldSentence =>
  before === undefined
    ? told`“${behavior}” shows in ${percent(baseline)} of the responses after training on all pairs`
    : told`“${behavior}” shows in ${percent(before)} of the responses before training and in ${percent(baseline)} after it`;

function rankingAlone({ methods, behavior }: ExperimentResult): Headline {
  const [method] = methods;
  const verdict = method?.verdict;
  const found =
    verdict === undefined ? "Nothing says whether few of them stand out" : SIGNALS[verdict.kind];
  const pairs = (method?.pairs ?? 0).toLocaleString("en");
  return {
    kind: "ranked",
    ...told`${pairs} pairs are ranked by how far they move the model the way of “${behavior}”. ${found}. Nothing was trained without them, so that they are the cause is not shown.`,
  };
}

/** A rate with what it is of. */
function percent({ rate: of }: ArmRate): ToldFigure {
  const { rate, low, high } = of;
  if (rate === undefined) return { text: "unknown", tells: tellRate(of) };
  const figure = (share: number): string => `${(100 * share).toFixed(1)}%`;
  const interval =
    low === undefined || high === undefined ? "" : ` [${figure(low)}, ${figure(high)}]`;
  return { text: `${figure(rate)}${interval}`, tells: tellRate(of) };
}
