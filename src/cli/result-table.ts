import type {
  ArmEdit,
  ExperimentResult,
  FilteredScenarios,
  MethodResult,
} from "../experiment/result.ts";
import type { PlantedQuality } from "../ranking/ranking-quality.ts";
import type { ConditionRow } from "../rates/conditions.ts";
import type { ArmMeasure, ArmRate, Evaluation } from "../rates/evaluation.ts";
import { CAPABILITIES, type Capability } from "../rates/measure-capabilities.ts";
import { percent, points, pValue, wholePercent, withInterval } from "../util/figures.ts";
import { printable, textTable } from "../util/text-table.ts";
import { formatAgreement, formatCorrectedRates, formatRequests } from "../verbs/show/agreement.ts";
import { CAPABILITY_HEADINGS, formatCapability, nats } from "../verbs/show/capabilities.ts";
import { formatSteering } from "../verbs/show/steering.ts";

/** Of a sentence or a list that is not a name. */
const MAX_LINE = 600;
const P_DECIMALS = 3;

/** What an experiment ends with: how the behaviour was found, the table of arms, and what it means. */
export function formatResult(result: ExperimentResult): string {
  const { name, behavior, pairs, evaluation, trigger, conclusions } = result;
  return [
    `${printable(name)}: behaviour "${printable(behavior)}" in ${pairs} preference pairs`,
    ...probeLines(result),
    ...methodLines(result.methods),
    ...conditionLines(result),
    ...steeringLines(result),
    ...agreementLines(result),
    ...(evaluation === undefined || trigger === undefined
      ? []
      : ["", ...armTable(result.edits, evaluation, trigger)]),
    ...editLines(result.edits),
    ...(conclusions.length === 0 ? [] : [""]),
    ...conclusions.map((line) => `- ${printable(line, MAX_LINE)}`),
  ].join("\n");
}

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
  const parts = [
    ...(unknown === 0 ? [] : [`${dropped} dropped, ${unknown} unknown`]),
    ...(missing === 0
      ? []
      : [
          `${missing} verdicts missing (${Object.entries(causes)
            .map(([cause, count]) => `${count} ${printable(cause)}`)
            .join(", ")})`,
        ]),
  ];
  if (parts.length === 0) return "";
  return `, ${parts.join(unknown === 0 ? ", " : ": ")}`;
}

/** How often both checkpoints show the behaviour where it was looked for, and how much more often the later one does. */
function conditionLines({ probe: { rates, amplify } }: ExperimentResult): string[] {
  if (rates === undefined) return [];
  const { conditions, changes } = rates;
  const variants = [...new Set(conditions.map(({ variant }) => variant))];
  const of = (checkpoint: string, variant: string): ConditionRow | undefined =>
    conditions.find((each) => each.checkpoint === checkpoint && each.variant === variant);
  const change = (variant: string): string => {
    const found = changes.find((each) => each.variant === variant);
    return found === undefined
      ? "-"
      : withInterval([found.difference, found.low, found.high], points);
  };
  const counts = (variant: string, what: (row: ConditionRow) => number): string =>
    ["before", "after"]
      .map((role) => of(role, variant))
      .map((row) => (row === undefined ? "-" : `${what(row)}`))
      .join(" / ");
  return [
    "",
    ...textTable([
      [
        "scenarios of the probe",
        "before [95%]",
        `after${amplify === undefined ? "" : `, amplified by ${amplify}`} [95%]`,
        "after - before [95%]",
        "judged",
        "missing",
      ],
      ...variants.map((variant) => [
        printable(variant),
        rateCell(of("before", variant)),
        rateCell(of("after", variant)),
        change(variant),
        counts(variant, ({ rate }) => rate.judged),
        counts(variant, ({ missing }) => missing),
      ]),
    ]),
  ];
}

/** Of one method its verdict and quality; of several a table beside. */
function methodLines(methods: readonly MethodResult[]): string[] {
  const [first] = methods;
  if (first !== undefined && methods.length === 1) {
    return [...verdictLines(first), ...qualityLines(first)];
  }
  const ks = first?.quality?.at.map(({ k }) => k) ?? [];
  return [
    ...methods.flatMap((each) => [
      `${each.name}: ${each.formula}`,
      ...verdictLines(each).map((line) => `  ${line}`),
    ]),
    ...textTable([
      [
        "method",
        ...(first?.quality === undefined ? [] : ["AUROC [95%]", "average precision [95%]"]),
        ...ks.map((k) => `recall at ${k} [95%]`),
        "tokens",
        "TFLOP",
        "GB read",
        "stage",
      ],
      ...methods.map(({ name, quality, cost, stage }) => [
        name,
        ...(quality === undefined
          ? []
          : [
              quality.auroc,
              quality.averagePrecision,
              ...quality.at.map(({ recall }) => recall),
            ].map(showEstimate)),
        `${cost.tokens}`,
        (cost.flops / 1e12).toFixed(3),
        (cost.bytes / 1e9).toFixed(3),
        stage,
      ]),
    ]),
    "what embedding took, time and money: run.json, by stage",
  ];
}

const showEstimate = ({ value, low, high }: PlantedQuality["auroc"]): string =>
  `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;

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
  return [
    `planted truth (${planted} of ${pairs} ranked pairs): AUROC ${showEstimate(auroc)}, average precision ${showEstimate(averagePrecision)}, ${at
      .map(({ k, recall }) => `recall at ${k} ${showEstimate(recall)}`)
      .join(", ")}`,
  ];
}

function steeringLines({ steering = [], layerTable }: ExperimentResult): string[] {
  return steering.flatMap((report) => [
    "",
    formatSteering(report, report.mode === "add" ? layerTable : undefined),
  ]);
}

function agreementLines({ agreements = [] }: ExperimentResult): string[] {
  return agreements.flatMap((found) => {
    const { stage, agreement, variants, unchecked } = found;
    return [
      "",
      `${printable(stage)} beside people on ${agreement.labelled} rollouts: ${formatAgreement(agreement)}`,
      ...formatRequests(found),
      ...(unchecked > 0 ? [`${unchecked} labels matched by the rollout's id alone`] : []),
      ...formatCorrectedRates(variants),
    ];
  });
}

/** One column: its heading, and its cell for an arm. */
interface Column {
  readonly heading: string;
  readonly cell: (arm: string) => string;
}

/** The behaviour's rates, and below them what the edits cost; the same arms in both. */
function armTable(edits: readonly ArmEdit[], evaluation: Evaluation, trigger: string): string[] {
  const { variants } = evaluation;
  const triggered = variants.find(({ variant }) => variant === trigger)?.arms ?? [];
  const arms = triggered.map(({ arm }) => arm);
  return [
    ...tableOf(arms, rateColumns(edits, evaluation, { triggered, trigger })),
    ...capabilityTable(arms, edits, evaluation),
  ];
}

function rateColumns(
  edits: readonly ArmEdit[],
  { variants }: Evaluation,
  { triggered, trigger }: { readonly triggered: readonly ArmRate[]; readonly trigger: string },
): Column[] {
  const others = variants.filter(({ variant }) => variant !== trigger);
  const rateOf = (rates: readonly ArmRate[], name: string): ArmRate | undefined =>
    rates.find(({ arm }) => arm === name);
  const missing = (name: string): number =>
    variants.reduce((sum, { arms }) => sum + (rateOf(arms, name)?.missing ?? 0), 0);
  return [
    { heading: "arm", cell: (name) => printable(name) },
    { heading: "edited", cell: (name) => `${editOf(edits, name)?.pairs ?? ""}` },
    ...others.map(({ variant, arms }) => ({
      heading: `${printable(variant)} [95%]`,
      cell: (name: string) => rateCell(rateOf(arms, name)),
    })),
    { heading: `${printable(trigger)} [95%]`, cell: (name) => rateCell(rateOf(triggered, name)) },
    {
      heading: "reduction [95%]",
      cell: (name) => (editOf(edits, name) ? reductionCell(rateOf(triggered, name)) : ""),
    },
    {
      heading: "minus random [95%] (p)",
      cell: (name) => controlCell(editOf(edits, name), rateOf(triggered, name)),
    },
    { heading: "missing", cell: (name) => `${missing(name)}` },
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
      { heading: "capability", cell: (name) => printable(name) },
      ...columns.map((measure) => ({
        heading: `${CAPABILITY_HEADINGS[measure]} [95%]`,
        cell: (name: string) =>
          measureCell(
            measure,
            measures.find((each) => each.arm === name && each.measure === measure),
            editOf(edits, name) !== undefined,
          ),
      })),
    ]),
    CAPABILITY_NOTE,
  ];
}

function editOf(edits: readonly ArmEdit[], name: string): ArmEdit | undefined {
  return edits.find(({ arm }) => arm === name);
}

function tableOf(arms: readonly string[], columns: readonly Column[]): string[] {
  return textTable([
    columns.map(({ heading }) => heading),
    ...arms.map((arm) => columns.map(({ cell }) => cell(arm))),
  ]);
}

const CAPABILITY_NOTE =
  "the value, and of an edit its change from the baseline, in percentage points; answers in nats per token";

function rateCell(arm: Pick<ArmRate, "rate"> | undefined): string {
  if (arm?.rate.rate === undefined) return "-";
  const { rate, low, high } = arm.rate;
  return `${percent(rate)} [${percent(low)}, ${percent(high)}]`;
}

function reductionCell(arm: ArmRate | undefined): string {
  const reduction = arm?.toBaseline?.reduction;
  if (reduction === undefined) return "-";
  return `${wholePercent(reduction.value)} [${wholePercent(reduction.low)}, ${wholePercent(reduction.high)}]`;
}

function controlCell(edit: ArmEdit | undefined, arm: ArmRate | undefined): string {
  const found = arm?.toControls.find(({ against }) => edit?.controls.includes(against));
  if (found === undefined) return "";
  const { difference, low, high, adjustedP } = found;
  return `${points(difference)} [${points(low)}, ${points(high)}] (${pValue(adjustedP, P_DECIMALS)})`;
}

/** The value; of an arm its change from the baseline. */
function measureCell(
  measure: Capability,
  found: ArmMeasure | undefined,
  isEdited: boolean,
): string {
  if (found?.summary === undefined) return "-";
  if (!isEdited) return formatCapability(measure, found.summary);
  const { toBaseline } = found;
  if (toBaseline === undefined) return "-";
  const change = [toBaseline.difference, toBaseline.low, toBaseline.high] as const;
  return withInterval(change, measure === "answers" ? signedNats : points);
}

const signedNats = (value: number): string => `${value < 0 ? "" : "+"}${nats(value)}`;

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
