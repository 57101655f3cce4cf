import { takesChosen } from "../edit/edit.ts";
import { describeRefinement, doubtOfRefinement } from "../ranking/ranked-refinement.ts";
import { hardestControl, placeAmongRandom } from "../rates/beside-controls.ts";
import type { ArmRate, Evaluation } from "../rates/evaluation.ts";
import type { ArmEdit, ExperimentResult, MethodResult, ProbeResult } from "../runs/result.ts";
import type { SteeringReport } from "../steering/steering-report.ts";
import { percent, points } from "../util/figures.ts";
import { type Lines, linesOf } from "../util/text-table.ts";
import { LEVEL, seedsOf } from "./tested-edit.ts";
import {
  tellIntervals,
  tellNumbers,
  tellRate,
  tellReason,
  told,
  type ToldFigure,
  type ToldSentence,
} from "./told-sentence.ts";
import { triggeredArms } from "./triggered-arms.ts";

/** Training seeds from which an interval over seeds means much. */
const SEEDS_THAT_TELL = 3;

/** Of figures in sentences of another version. */
const OTHERWISE = "n stands in result.json";
const UNKNOWN = `another version of culprit wrote this sentence: the interval, where there is one, and ${OTHERWISE}`;

type Concluded = Omit<ExperimentResult, "conclusions">;

/** What an experiment's figures mean, one sentence each: the vector, each edit beside its control, and what limits them. */
export function concludeExperiment(result: Concluded): readonly string[] {
  return concludeTold(result).map(({ sentence }) => sentence);
}

/** The conclusions of a result, whose figures tell their intervals and n. Those of another version, whose sentences are others, tell what stands in them. */
export function tellConclusions(result: ExperimentResult): readonly ToldSentence[] {
  const known = new Map(concludeTold(result).map((each) => [each.sentence, each]));
  return result.conclusions.map(
    (sentence) => known.get(sentence) ?? tellNumbers(sentence, UNKNOWN, OTHERWISE),
  );
}

function concludeTold(result: Concluded): readonly ToldSentence[] {
  const { edits, evaluation, trigger } = result;
  const rates = triggeredArms(evaluation, trigger);
  return [
    ...concludeMembership(result.membership),
    ...concludeFound(result),
    ...edits.filter(takesChosen).flatMap((edit) => concludeEdit(edit, rates, evaluation) ?? []),
    ...edits
      .filter(({ pick }) => pick === "bottom")
      .flatMap((edit) => concludeBottom(edit, rates, evaluation) ?? []),
    ...concludeTenths(edits, rates),
    ...plain(evaluation?.notes),
  ];
}

const plain = (lines: Lines): ToldSentence[] => linesOf([lines]).map((line) => told`${line}`);

/** What comes before the edits. */
function concludeFound(result: Concluded): readonly ToldSentence[] {
  const { probe } = result;
  return [
    ...(probe.doubt === undefined
      ? []
      : [
          told`The behaviour's vector is not stable (${tellReason(probe.doubt, probe.prompts)}): the ranking is evidence of nothing.`,
        ]),
    ...(probe.nuisanceDoubts ?? []).map((line) =>
      tellNumbers(`Projected out at ${line}.`, `n ${probe.prompts} prompts or fewer; ${NO_MORE}`),
    ),
    ...plain(concludeUnknown(probe.scenarios)),
    ...result.methods.flatMap(concludeRefined),
    ...[...new Set(result.methods.flatMap(concludeNulls))].map((line) =>
      tellNumbers(line, "n stands in the file of that behaviour, with the interval"),
    ),
    ...plain(
      probe.amplify !== undefined &&
        `The behaviour was looked for with the checkpoint after amplified by ${probe.amplify}: its rates in conditions.json and in stage judge-after are of amplified sampling, never of the checkpoint.`,
    ),
    ...plain(result.steering?.map(concludeSteering)),
    ...concludeLayer(result),
  ];
}

/** Of figures in reasons. */
const NO_MORE = "the run keeps no interval of it";

/** Whether the ranking is of the right data; a checkpoint that was trained on other pairs has nothing to do with these. */
function concludeMembership(found: ExperimentResult["membership"]): readonly ToldSentence[] {
  if (found === undefined) return [];
  const { verdict, remarks, prompts } = found;
  const n = `n ${prompts.claimed.toLocaleString("en")} claimed and ${prompts.heldOut.toLocaleString("en")} held-out prompts`;
  return [`Do the pairs belong to the checkpoint after? ${verdict.sentence}`, ...remarks].map(
    (sentence) => tellIntervals(sentence, n),
  );
}

/** Scenarios that were not decided are none that were decided: what a broken judge leaves must be seen. */
function concludeUnknown(scenarios: ProbeResult["scenarios"]): Lines {
  if (scenarios === undefined || scenarios.unknown === 0) return undefined;
  const { unknown, of, missing } = scenarios;
  const start = `Of ${unknown} of ${of} scenarios it is unknown whether they pass the four conditions`;
  return missing === 0
    ? `${start}, as they have too few rollouts: the vector is of the others alone.`
    : `${start}, as verdicts are missing (${missing} in all): the vector is of the others alone. Mend what the table gives as the cause and judge again (--force-stage judge-before,judge-after).`;
}

/** How far a ranking can be trusted that was made in two passes. */
function concludeRefined({ name, refined }: MethodResult): readonly ToldSentence[] {
  if (refined === undefined) return [];
  const doubt = doubtOfRefinement(refined);
  const n = `n ${refined.audit?.pairs ?? 0} pairs drawn at random`;
  return [
    tellNumbers(`The ranking by ${name} is of two passes: ${describeRefinement(refined)}.`, n),
    ...plain(doubt !== undefined && `The ranking by ${name}: ${doubt}.`),
  ];
}

/** What the verdict was not held to. */
function concludeNulls({ skippedNulls = [], verdict }: MethodResult): string[] {
  return [
    ...skippedNulls.map(
      ({ behavior, reason }) =>
        `The verdict could not be held to ${behavior} (${reason}): what else training changed was not ruled out. A file of response pairs of an unrelated behaviour in rank.nulls would.`,
    ),
    ...(verdict?.notHeldTo ?? []).map(
      ({ behavior, reason }) =>
        `The verdict was not held to ${behavior}: ${reason}. More response pairs of it may make it stable.`,
    ),
  ];
}

function concludeSteering({ mode, layers, scenarios, shared }: SteeringReport): Lines {
  const what = mode === "add" ? "Adding the direction" : "Projecting the direction out";
  const held =
    shared !== undefined &&
    `${what} was measured on ${shared} of ${scenarios} scenarios that the behaviour was made from, so its effect is not held out: name others (evaluate.scenarios, steer.on: evaluate).`;
  const found = layers.map(({ layer, at, steered, effects }): Lines => {
    const where =
      layer === undefined
        ? `${what} of each layer (${at.join(", ")})`
        : `${what} of layer ${layer}${at.length === 1 && at[0] === layer ? "" : ` at layers ${at.join(", ")}`}`;
    return steered === undefined
      ? `${where}: no strength leaves the text coherent.`
      : effects.map(({ variant, sentence }) => `${where}, ${variant}: ${sentence}`);
  });
  return [found, held];
}

/** The layer that steering speaks for, where the ranking is at another. */
function concludeLayer({
  layerTable,
  probe,
}: Pick<ExperimentResult, "layerTable" | "probe">): readonly ToldSentence[] {
  const choice = layerTable?.choice;
  if (choice?.kind !== "chosen" || choice.layer === probe.layer) return [];
  const [why, used] = [choice.reason, probe.layerReason].map((reason) =>
    tellReason(reason, probe.prompts),
  );
  return [
    told`With steering layer ${choice.layer} is chosen (${why!}); the ranking is at layer ${probe.layer} (${used!}). To rank at the other, set rank.layer.`,
  ];
}

function concludeEdit(
  edit: ArmEdit,
  rates: readonly ArmRate[],
  evaluation: Evaluation | undefined,
): ToldSentence | undefined {
  const what = describeEdit(edit);
  if (edit.skipped !== undefined) return told`${what}: not trained, as ${edit.skipped}.`;
  const arm = rates.find((each) => each.arm === edit.arm);
  const before = rates.find((each) => each.arm === evaluation?.baseline);
  if (arm?.toBaseline === undefined || before === undefined) return undefined;
  const { difference, adjustedP } = arm.toBaseline;
  const change = told`${what} takes the rate from ${rateOf(before)} to ${rateOf(arm)}`;
  if (difference >= 0 || adjustedP >= LEVEL) {
    return told`${change}, which chance can explain (${pOf(arm.toBaseline)} against the baseline): no sign that these pairs are a cause.`;
  }
  return concludeControl(edit, arm, { change, rates });
}

/** What edits do that drop no pairs. */
const DOING: { readonly [A in ArmEdit["action"]]?: string } = {
  swap: "swapping",
  review: "editing",
};

/** A lower rate is the pairs' doing only where as many random pairs do not lower it as much. */
function concludeControl(
  edit: ArmEdit,
  arm: ArmRate,
  { change, rates }: { readonly change: ToldSentence; readonly rates: readonly ArmRate[] },
): ToldSentence {
  const control = hardestControl(arm, edit.controls);
  if (control === undefined) {
    return told`${change}, more than chance explains; it has no random control, so that it is these pairs is not shown.`;
  }
  const place = placeAmongRandom(arm, rates, edit.controls);
  const one = rateOf(rates.find((each) => each.arm === control.against));
  const random =
    place === undefined ? told`${one}` : told`${one} at the lowest of ${place.of - 1} random sets`;
  const among = place === undefined ? "" : `, place ${place.place} of ${place.of} among them`;
  const p = pOf(control);
  if (control.difference >= 0 || control.adjustedP >= LEVEL) {
    return told`${change}, but as many random pairs leave ${random}, which is not told apart (${p} against random${among}): that it is these pairs is not shown.`;
  }
  const compared = [arm, ...rates.filter((each) => each.arm === control.against)];
  const seeds = Math.min(...compared.map(seedsOf));
  if (seeds < 2) {
    const doing = DOING[edit.action] ?? "dropping";
    return told`${change}, as many random pairs leave ${random}: in this one training ${doing} them did more than as many random pairs (${p} against random${among}, over prompts). One seed does not show that these pairs are a cause across trainings: train several (train.seeds: [1, 2, 3]).`;
  }
  const few =
    seeds < SEEDS_THAT_TELL
      ? " Two seeds hardly tell how trainings differ: three are the least for an interval that means much (train.seeds: [1, 2, 3])."
      : "";
  return told`${change}, as many random pairs leave ${random}: more than chance explains (${p} against random${among}), so these pairs are a cause.${few}`;
}

/** The other end of the ranking: without the pairs that are least responsible the behaviour should not become rarer. */
function concludeBottom(
  edit: ArmEdit,
  rates: readonly ArmRate[],
  evaluation: Evaluation | undefined,
): ToldSentence | undefined {
  const arm = rates.find((each) => each.arm === edit.arm);
  const before = rates.find((each) => each.arm === evaluation?.baseline);
  if (arm?.toBaseline === undefined || before === undefined) return undefined;
  const { difference, adjustedP } = arm.toBaseline;
  const doing = edit.action === "swap" ? "Swapping" : "Dropping";
  const found =
    adjustedP >= LEVEL
      ? "no sign that they teach it or its opposite"
      : difference > 0
        ? "they teach its opposite, as a low score says"
        : "they teach it too, or losing this many pairs does, which a low score does not say";
  return told`${doing} the ${edit.pairs} pairs ranked lowest takes the rate from ${rateOf(before)} to ${rateOf(arm)} (${pOf(arm.toBaseline)} against the baseline): ${found}.`;
}

/** What each tenth of each ranking teaches by itself, from the highest scores to the lowest. */
function concludeTenths(
  edits: readonly ArmEdit[],
  rates: readonly ArmRate[],
): readonly ToldSentence[] {
  const kept = edits.filter(({ tenth }) => tenth !== undefined);
  const armOf = (name: string): ArmRate | undefined => rates.find(({ arm }) => arm === name);
  const ratesOf = (names: readonly string[]): ToldSentence =>
    names.map((name) => told`${rateOf(armOf(name))}`).reduce((all, each) => told`${all}, ${each}`); // one at least
  return [...new Set(kept.map(({ method }) => method))].flatMap((method) => {
    const tenths = kept.filter((edit) => edit.method === method);
    const { arm: highest, controls } = tenths[0]!; // one at least
    const arm = armOf(highest);
    if (arm === undefined) return [];
    // Of several random tenths the one that taught it most.
    const [control] = arm.toControls
      .filter(({ against }) => controls.includes(against))
      .toSorted((a, b) => a.difference - b.difference);
    const beside =
      control === undefined
        ? ""
        : told`; a random tenth ${ratesOf(controls)} (the highest minus random ${points(control.difference)} points, ${pOf(control)})`;
    const of = method === undefined ? "the ranking" : `the ranking by ${method}`;
    return [
      told`Trained on one tenth of ${of} alone, from the highest scores to the lowest, the model shows it in ${ratesOf(tenths.map((edit) => edit.arm))}${beside}.`,
    ];
  });
}

function describeEdit({ action, pairs, groups, top }: ArmEdit): string {
  if (action === "review") return `Doing what people decided with ${pairs} pairs`;
  if (action === "drop-source") {
    const names = groups.map(({ group }) => group).join(" and ");
    return names === ""
      ? `Dropping sources by the top ${top}`
      : `Dropping ${names} (${pairs} pairs)`;
  }
  return `${action === "swap" ? "Swapping" : "Dropping"} the ${pairs} pairs ranked highest`;
}

function rateOf(arm: ArmRate | undefined): ToldFigure | string {
  const rate = arm?.rate.rate;
  return arm === undefined || rate === undefined
    ? "nothing judged"
    : { text: percent(rate), tells: tellRate(arm.rate) };
}

function pOf({
  adjustedP: p,
  difference,
  low,
  high,
  prompts,
}: NonNullable<ArmRate["toBaseline"]>): ToldFigure {
  return {
    text: `p ${p < 0.001 ? "< 0.001" : p.toFixed(3)}`,
    tells: `a difference of ${points(difference)} percentage points, 95% [${points(low)}, ${points(high)}], n ${prompts} prompts; corrected for the number of edits that were compared (Holm)`,
  };
}
