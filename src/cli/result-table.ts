import type { PlantedQuality } from "../ranking/ranking-quality.ts";
import { hardestControl } from "../rates/beside-controls.ts";
import type { ConditionRow } from "../rates/conditions.ts";
import type { ArmMeasure, ArmRate, Evaluation } from "../rates/evaluation.ts";
import { CAPABILITIES, type Capability } from "../rates/measure-capabilities.ts";
import { triggeredArms } from "../report/triggered-arms.ts";
import type {
  ArmEdit,
  ExperimentResult,
  FilteredScenarios,
  MethodResult,
  StageAgreement,
} from "../runs/result.ts";
import type { SteeringReport } from "../steering/steering-report.ts";
import {
  formatEstimate,
  formatRate,
  points,
  pValue,
  signed,
  withInterval,
} from "../util/figures.ts";
import {
  type Column,
  type Lines,
  linesOf,
  printable,
  tableOf,
  textOf,
} from "../util/text-table.ts";
import { formatAgreement, formatCorrectedRates, formatRequests } from "../verbs/show/agreement.ts";
import { CAPABILITY_HEADINGS, formatCapability } from "../verbs/show/capabilities.ts";
import { formatReduction } from "../verbs/show/evaluation.ts";
import { formatSteering } from "../verbs/show/steering.ts";

/** Of a sentence or a list that is not a name. */
const MAX_LINE = 600;
const P_DECIMALS = 3;

/** What an experiment ends with: how the behaviour was found, the table of arms, and what it means. */
export function formatResult(result: ExperimentResult): string {
  const { name, behavior, pairs, evaluation, trigger, conclusions } = result;
  return textOf(
    `${printable(name)}: behaviour "${printable(behavior)}" in ${pairs} preference pairs`,
    probeLines(result),
    methodLines(result.methods),
    conditionLines(result),
    result.steering?.map((report) => ["", formatSteering(report, layersOf(report, result))]),
    result.agreements?.map(agreementLines),
    evaluation !== undefined &&
      trigger !== undefined && ["", armTable(result.edits, evaluation, trigger)],
    editLines(result.edits),
    conclusions.length > 0 && "",
    conclusions.map((line) => `- ${printable(line, MAX_LINE)}`),
  );
}

/** What speaks for each layer stands with the direction added. */
const layersOf = (
  { mode }: SteeringReport,
  { layerTable }: ExperimentResult,
): ExperimentResult["layerTable"] => (mode === "add" ? layerTable : undefined);

function probeLines({ probe }: ExperimentResult): string[] {
  const { scenarios, responsePairs, prompts, layer, layerReason } = probe;
  const from = `${responsePairs} response pairs over ${prompts} prompts`;
  return [
    scenarios === undefined
      ? `vector from ${from}`
      : `vector from ${from}: ${scenarios.kept} of ${scenarios.of} scenarios passed the four conditions${undecided(scenarios)}`,
    `layer ${layer} (${printable(layerReason, MAX_LINE)})`,
  ];
}

function undecided({ dropped, unknown, missing, causes }: FilteredScenarios): string {
  const list = Object.entries(causes).map(([cause, count]) => `${count} ${printable(cause)}`);
  const parts = linesOf([
    unknown > 0 && `${dropped} dropped, ${unknown} unknown`,
    missing > 0 && `${missing} verdicts missing (${list.join(", ")})`,
  ]);
  if (parts.length === 0) return "";
  return `, ${parts.join(unknown === 0 ? ", " : ": ")}`;
}

/** How often both checkpoints show the behaviour where it was looked for, and how much more often the later one does. */
function conditionLines({ probe: { rates, amplify } }: ExperimentResult): string[] {
  if (rates === undefined) return [];
  const { conditions, changes } = rates;
  const variants = [...new Set(conditions.map(({ variant }) => variant))];
  const rowOf = (checkpoint: string, variant: string): ConditionRow | undefined =>
    conditions.find((each) => each.checkpoint === checkpoint && each.variant === variant);
  const counts = (variant: string, what: (row: ConditionRow) => number): string =>
    ["before", "after"]
      .map((role) => rowOf(role, variant))
      .map((row) => (row === undefined ? "-" : `${what(row)}`))
      .join(" / ");
  const after = `after${amplify === undefined ? "" : `, amplified by ${amplify}`}`;
  return [
    "",
    ...tableOf(variants, [
      ["scenarios of the probe", (variant) => printable(variant)],
      ["before [95%]", (variant) => rateCell(rowOf("before", variant))],
      [`${after} [95%]`, (variant) => rateCell(rowOf("after", variant))],
      [
        "after - before [95%]",
        (variant) => {
          const change = changes.find((each) => each.variant === variant);
          return change && withInterval(change.difference, change, points);
        },
      ],
      ["judged", (variant) => counts(variant, ({ rate }) => rate.judged)],
      ["missing", (variant) => counts(variant, ({ missing }) => missing)],
    ]),
  ];
}

/** Of one method its verdict and quality; of several a table beside. */
function methodLines(methods: readonly MethodResult[]): string[] {
  const [first] = methods;
  if (first !== undefined && methods.length === 1) {
    return [...verdictLines(first), ...qualityLines(first)];
  }
  const estimate = (
    heading: string,
    find: (quality: PlantedQuality) => PlantedQuality["auroc"] | undefined,
  ): Column<MethodResult> => [
    `${heading} [95%]`,
    ({ quality }) => {
      const found = quality && find(quality);
      return found && formatEstimate(found);
    },
  ];
  return [
    ...methods.flatMap((each) => [
      `${each.name}: ${each.formula}`,
      ...verdictLines(each).map((line) => `  ${line}`),
    ]),
    ...tableOf(methods, [
      ["method", ({ name }) => name],
      ...(first?.quality === undefined
        ? []
        : [
            estimate("AUROC", ({ auroc }) => auroc),
            estimate("average precision", ({ averagePrecision }) => averagePrecision),
            ...first.quality.at.map(({ k }, i) =>
              estimate(`recall at ${k}`, (of) => of.at[i]?.recall),
            ),
          ]),
      ["tokens", ({ cost }) => cost.tokens],
      ["TFLOP", ({ cost }) => (cost.flops / 1e12).toFixed(3)],
      ["GB read", ({ cost }) => (cost.bytes / 1e9).toFixed(3)],
      ["stage", ({ stage }) => stage],
    ]),
    "what embedding took, time and money: run.json, by stage",
  ];
}

function verdictLines(method: MethodResult): string[] {
  const { verdict } = method;
  if (verdict === undefined) return [];
  const { kind, reason, meaning, excessPairs, heldTo, notHeldTo } = verdict;
  const count = excessPairs === 0 ? "" : `; at least about ${excessPairs} pairs stand out`;
  return [
    `verdict: ${kind} (${printable(reason, MAX_LINE)})${count}`,
    `  ${meaning}`,
    `  held to sign flips${heldTo.length === 0 ? ` alone${whyAlone(method)}` : ` and to ${heldTo.map((name) => printable(name)).join(", ")}`}`,
    ...notHeldTo.map((each) => `  not held to ${printable(each.behavior)}: ${each.reason}`),
  ];
}

function whyAlone({ verdict, skippedNulls }: MethodResult): string {
  if (verdict!.notHeldTo.length > 0) return "";
  return `; ${skippedNulls === undefined ? "rank.nulls names unrelated behaviours" : "what rank.nulls names was not to be had"}`;
}

function qualityLines({ quality }: MethodResult): string[] {
  if (quality === undefined) return [];
  const { planted, pairs, auroc, averagePrecision, at } = quality;
  const recalls = at.map(({ k, recall }) => `recall at ${k} ${formatEstimate(recall)}`).join(", ");
  return [
    `planted truth (${planted} of ${pairs} ranked pairs): AUROC ${formatEstimate(auroc)}, average precision ${formatEstimate(averagePrecision)}, ${recalls}`,
  ];
}

function agreementLines(found: StageAgreement): Lines {
  const { stage, agreement, variants, unchecked } = found;
  return [
    "",
    `${printable(stage)} beside people on ${agreement.labelled} rollouts: ${formatAgreement(agreement)}`,
    formatRequests(found),
    unchecked > 0 && `${unchecked} labels matched by the rollout's id alone`,
    formatCorrectedRates(variants),
  ];
}

/** The behaviour's rates, and below them what the edits cost; the same arms in both. */
function armTable(edits: readonly ArmEdit[], evaluation: Evaluation, trigger: string): string[] {
  const triggered = triggeredArms(evaluation, trigger);
  const arms = triggered.map(({ arm }) => arm);
  return [
    ...tableOf(arms, rateColumns(edits, evaluation, { triggered, trigger })),
    ...capabilityTable(arms, edits, evaluation),
  ];
}

/** An arm by its name. */
type ArmColumn = Column<string>;

function rateColumns(
  edits: readonly ArmEdit[],
  { variants }: Evaluation,
  { triggered, trigger }: { readonly triggered: readonly ArmRate[]; readonly trigger: string },
): ArmColumn[] {
  const rateOf = (rates: readonly ArmRate[], name: string): ArmRate | undefined =>
    rates.find(({ arm }) => arm === name);
  const missing = (name: string): number =>
    variants.reduce((sum, { arms }) => sum + (rateOf(arms, name)?.missing ?? 0), 0);
  return [
    ["arm", (name) => printable(name)],
    ["edited", (name) => editOf(edits, name)?.pairs ?? ""],
    ...variants
      .filter(({ variant }) => variant !== trigger)
      .map(({ variant, arms }): ArmColumn => [
        `${printable(variant)} [95%]`,
        (name) => rateCell(rateOf(arms, name)),
      ]),
    [`${printable(trigger)} [95%]`, (name) => rateCell(rateOf(triggered, name))],
    [
      "reduction [95%]",
      (name) => (editOf(edits, name) ? reductionCell(rateOf(triggered, name)) : ""),
    ],
    ["minus random [95%] (p)", (name) => controlCell(editOf(edits, name), rateOf(triggered, name))],
    ["missing", missing],
  ];
}

function capabilityTable(
  arms: readonly string[],
  edits: readonly ArmEdit[],
  { measures }: Evaluation,
): string[] {
  if (measures.length === 0) return [];
  const columns = CAPABILITIES.filter((each) => measures.some(({ measure }) => measure === each));
  return [
    "",
    ...tableOf(arms, [
      ["capability", (name) => printable(name)],
      ...columns.map((measure): ArmColumn => [
        `${CAPABILITY_HEADINGS[measure]} [95%]`,
        (name) => {
          const found = measures.find((each) => each.arm === name && each.measure === measure);
          return measureCell(measure, found, editOf(edits, name) !== undefined);
        },
      ]),
    ]),
    "the value, and of an edit its change from the baseline, in percentage points; answers in nats per token",
  ];
}

function editOf(edits: readonly ArmEdit[], name: string): ArmEdit | undefined {
  return edits.find(({ arm }) => arm === name);
}

const rateCell = (arm: Pick<ArmRate, "rate"> | undefined): string | undefined =>
  arm?.rate.rate === undefined ? undefined : formatRate(arm.rate);

function reductionCell(arm: ArmRate | undefined): string | undefined {
  const reduction = arm?.toBaseline?.reduction;
  return reduction && formatReduction(reduction);
}

function controlCell(edit: ArmEdit | undefined, arm: ArmRate | undefined): string {
  const found = arm && edit && hardestControl(arm, edit.controls);
  if (found === undefined) return "";
  const change = withInterval(found.difference, found, points);
  return `${change} (${pValue(found.adjustedP, P_DECIMALS)})`;
}

/** The value; of an arm its change from the baseline. */
function measureCell(
  measure: Capability,
  found: ArmMeasure | undefined,
  isEdited: boolean,
): string | undefined {
  if (found?.summary === undefined) return undefined;
  if (!isEdited) return formatCapability(measure, found.summary);
  const change = found.toBaseline;
  return change && withInterval(change.difference, change, measure === "answers" ? signed : points);
}

/** What each arm took, by source. */
function editLines(edits: readonly ArmEdit[]): string[] {
  if (edits.length === 0) return [];
  return [
    "",
    ...edits.map(({ arm, groups, skipped }) => {
      const taken = groups.map(({ group, edited }) => `${printable(group)} ${edited}`).join(", ");
      return `${printable(arm)}: ${skipped ?? taken}`;
    }),
  ];
}
