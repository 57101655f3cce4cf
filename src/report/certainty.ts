import type { ConfoundTable } from "../ranking/confound-table.ts";
import type { Signal } from "../ranking/signal-verdict.ts";
import type { ExperimentResult } from "../runs/result.ts";
import { FOLLOWS } from "./next-steps.ts";
import { LEVEL, mostTelling } from "./tested-edit.ts";

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
): readonly string[] {
  if (result === undefined) return [];
  return [
    ...ofTraining(result),
    ...ofVector(result),
    ...ofScores(result),
    ...ofConfounds(confounds),
    ...ofJudge(result, judgedByPeople),
  ];
}

function ofTraining(result: ExperimentResult): string[] {
  const best = mostTelling(result);
  if (best === undefined) {
    return ["Nothing was trained without the pairs: whether they are the cause is not known."];
  }
  const { arm, edit, seeds } = best;
  const beside = arm.toControls.find(({ against }) => edit.controls.includes(against));
  const test =
    beside === undefined
      ? "No edit of random pairs stands beside it: any edit of this size might do the same."
      : `It differs by ${points(beside.difference)} percentage points [${points(beside.low)}, ${points(beside.high)}] from what as many random pairs do, over ${beside.prompts} prompts. ${ofChance(beside.adjustedP)}`;
  const trainings =
    seeds < 2
      ? "Each model was trained once, so the intervals do not know how another training would come out."
      : `Each model was trained ${seeds} times, and the intervals count how the trainings differ.`;
  return [test, trainings];
}

function ofChance(p: number): string {
  const such = "Were these pairs like any others, a difference as large would come up in";
  if (p < 0.001) return `${such} fewer than 1 of 1,000 cases.`;
  const often = `${such} ${(100 * p).toFixed(p < 0.1 ? 1 : 0)} of 100 cases`;
  return p < LEVEL ? `${often}.` : `${often}: they are not told apart.`;
}

function ofVector({ probe }: ExperimentResult): string[] {
  const { responsePairs, prompts, doubt } = probe;
  const made = `The scores rest on a direction made of ${responsePairs} pairs of responses, without and with the behaviour, to ${prompts} prompts`;
  return [
    doubt === undefined
      ? `${made}; it is stable, that is, nearly the same from either half of the prompts.`
      : `${made}; it is not stable: ${doubt}.`,
  ];
}

/** What a verdict on scores says, for those who know no null. */
export const SIGNALS: { readonly [S in Signal]: string } = {
  concentrated:
    "A small part of the pairs scores far higher than directions that mean nothing let expect",
  diffuse: "The bulk of the pairs is moved the way of the behaviour, and no small part stands out",
  "no signal": "The scores are not told from those of directions that mean nothing",
};

function ofScores({ methods }: ExperimentResult): string[] {
  const { verdict, quality } = methods[0] ?? {};
  const found =
    verdict === undefined
      ? []
      : [`${SIGNALS[verdict.kind]} (${verdict.kind}; the page Pairs has the figures).`];
  const at = quality?.at.find(({ k }) => k === quality.planted);
  if (quality === undefined || at === undefined) return found;
  return [
    ...found,
    `${quality.planted} pairs are known to be at fault, those marked planted; ${Math.round(at.found)} of them are among the ${at.k} ranked highest (${share(at.recall.value)} [${share(at.recall.low)}, ${share(at.recall.high)}]).`,
  ];
}

function ofConfounds(confounds: ConfoundTable | undefined): string[] {
  const known = Object.values(confounds ?? {}).flatMap((found) => found ?? []);
  if (known.length === 0 || known.some(({ r }) => Math.abs(r) >= FOLLOWS)) return [];
  const most = Math.max(...known.map(({ r }) => Math.abs(r)));
  return [
    `The score does not follow how long the responses are (rank correlations of at most ${most.toFixed(2)}).`,
  ];
}

function ofJudge(
  { agreements, evaluation, probe }: ExperimentResult,
  judgedByPeople: boolean,
): string[] {
  if (evaluation === undefined && probe.scenarios === undefined) return [];
  if (judgedByPeople) return ["People judged every response that the rates count."];
  if (agreements === undefined) {
    return ["No person has checked the judge: the rates count what it calls the behaviour."];
  }
  return agreements.map(({ stage, agreement: { labelled, agreement } }) => {
    const agreed = agreement.rate === undefined ? "unknown" : share(agreement.rate);
    const { low, high } = agreement;
    const interval =
      low === undefined || high === undefined ? "" : ` [${share(low)}, ${share(high)}]`;
    return `The judge agrees with people on ${agreed}${interval} of ${labelled} labelled responses (${stage}).`;
  });
}

const points = (difference: number): string =>
  `${difference < 0 ? "−" : "+"}${Math.abs(100 * difference).toFixed(1)}`;
const share = (value: number): string => `${(100 * value).toFixed(1)}%`;
