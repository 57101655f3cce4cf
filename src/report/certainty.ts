import type { ConfoundTable } from "../ranking/confound-table.ts";
import type { Signal } from "../ranking/signal-verdict.ts";
import { hardestControl } from "../rates/beside-controls.ts";
import type { ExperimentResult } from "../runs/result.ts";
import { FOLLOWS } from "./next-steps.ts";
import { describeEdit, LEVEL, mostTelling } from "./tested-edit.ts";
import { tellCorrelation, tellReason, told, type ToldSentence } from "./told-sentence.ts";

/**
 * What speaks for a result and what it does not know, a sentence each: the test by training, its seeds, the vector, the scores, the planted
 * pairs where they are known, what the score may follow instead, the judge. `confounds` are those of the first ranking,
 * `judgedByPeople` says that neither rules nor a model judged.
 */
export function certainty(
  result: ExperimentResult | undefined,
  {
    confounds,
    judgedByPeople = false,
  }: { readonly confounds?: ConfoundTable | undefined; readonly judgedByPeople?: boolean } = {},
): readonly ToldSentence[] {
  if (result === undefined) return [];
  return [
    ...ofTraining(result),
    ...ofVector(result),
    ...ofScores(result),
    ...ofConfounds(confounds),
    ...ofJudge(result, judgedByPeople),
  ];
}

function ofTraining(result: ExperimentResult): ToldSentence[] {
  const best = mostTelling(result);
  if (best === undefined) {
    return [told`Nothing was trained without the pairs: whether they are the cause is not known.`];
  }
  const { arm, edit, seeds } = best;
  const beside = hardestControl(arm, edit.controls);
  const test =
    beside === undefined
      ? told`No edit of random pairs stands beside it: any edit of this size might do the same.`
      : told`Trained ${describeEdit(edit)}, the model’s rate differs by ${{
          text: `${points(beside.difference)} percentage points [${points(beside.low)}, ${points(beside.high)}]`,
          tells: `95% [${points(beside.low)}, ${points(beside.high)}], n ${beside.prompts} prompts, ${seeds === 1 ? "one training seed" : `${seeds} training seeds`}`,
        }} from that after the same edit of random pairs, over ${beside.prompts} prompts. ${ofChance(beside)}`;
  const trainings =
    seeds < 2
      ? told`Each model was trained once, so the intervals do not know how another training would come out.`
      : told`Each model was trained ${seeds} times, and the intervals count how the trainings differ.`;
  return [test, trainings];
}

function ofChance({
  adjustedP: p,
  prompts,
}: {
  readonly adjustedP: number;
  readonly prompts: number;
}): ToldSentence {
  const often = {
    text:
      p < 0.001
        ? "fewer than 1 of 1,000 cases"
        : `${(100 * p).toFixed(p < 0.1 ? 1 : 0)} of 100 cases`,
    tells: `p ${p < 0.001 ? "< 0.001" : p.toFixed(3)}, corrected for the number of edits that were compared (Holm), n ${prompts} prompts`,
  };
  const close = p < LEVEL ? "" : ": they are not told apart";
  return told`Were these pairs like any others, a difference as large would come up in ${often}${close}.`;
}

function ofVector({ probe }: ExperimentResult): ToldSentence[] {
  const { responsePairs, prompts, doubt } = probe;
  const made = `The scores rest on a direction made of ${responsePairs} pairs of responses, without and with the behaviour, to ${prompts} prompts`;
  return [
    doubt === undefined
      ? told`${made}; it is stable, that is, nearly the same from either half of the prompts.`
      : told`${made}; it is not stable: ${tellReason(doubt, prompts)}.`,
  ];
}

/** What a verdict on scores says, for those who know no null. */
export const SIGNALS: { readonly [S in Signal]: string } = {
  concentrated:
    "A small part of the pairs scores far higher than directions that mean nothing let expect",
  diffuse: "The bulk of the pairs is moved the way of the behaviour, and no small part stands out",
  "no signal": "The scores are not told from those of directions that mean nothing",
};

function ofScores({ methods }: ExperimentResult): ToldSentence[] {
  const { verdict, quality } = methods[0] ?? {};
  const found =
    verdict === undefined
      ? []
      : [told`${SIGNALS[verdict.kind]} (${verdict.kind}; the page Pairs has the figures).`];
  const at = quality?.at.find(({ k }) => k === quality.planted);
  if (quality === undefined || at === undefined) return found;
  return [
    ...found,
    told`${quality.planted} pairs are known to be at fault, those marked planted; ${Math.round(at.found)} of them are among the ${at.k} ranked highest (${{
      text: `${share(at.recall.value)} [${share(at.recall.low)}, ${share(at.recall.high)}]`,
      tells: `95% [${share(at.recall.low)}, ${share(at.recall.high)}], n ${quality.planted} planted pairs of ${quality.pairs.toLocaleString("en")}`,
    }}).`,
  ];
}

function ofConfounds(confounds: ConfoundTable | undefined): ToldSentence[] {
  const known = Object.values(confounds ?? {}).flatMap((found) => found ?? []);
  if (known.length === 0 || known.some(({ r }) => Math.abs(r) >= FOLLOWS)) return [];
  const [most] = known.toSorted((a, b) => Math.abs(b.r) - Math.abs(a.r));
  const figure = {
    text: Math.abs(most!.r).toFixed(2), // one at least
    tells: `${tellCorrelation(most!)}; of the largest`,
  };
  return [
    told`The score does not follow how long the responses are (rank correlations of at most ${figure}).`,
  ];
}

function ofJudge(
  { agreements, evaluation, probe }: ExperimentResult,
  judgedByPeople: boolean,
): ToldSentence[] {
  if (evaluation === undefined && probe.scenarios === undefined) return [];
  if (judgedByPeople) return [told`People judged every response that the rates count.`];
  if (agreements === undefined) {
    return [told`No person has checked the judge: the rates count what it calls the behaviour.`];
  }
  return agreements.map(({ stage, agreement: { labelled, agreement } }) => {
    const agreed = agreement.rate === undefined ? "unknown" : share(agreement.rate);
    const { low, high } = agreement;
    const interval =
      low === undefined || high === undefined ? "" : ` [${share(low)}, ${share(high)}]`;
    const figure = {
      text: `${agreed}${interval}`,
      tells: `${interval === "" ? "no interval" : `95%${interval}`}, n ${labelled} labelled responses`,
    };
    return told`The judge agrees with people on ${figure} of ${labelled} labelled responses (${stage}).`;
  });
}

const points = (difference: number): string =>
  `${difference < 0 ? "−" : "+"}${Math.abs(100 * difference).toFixed(1)}`;
const share = (value: number): string => `${(100 * value).toFixed(1)}%`;
