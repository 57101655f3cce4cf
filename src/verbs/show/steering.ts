import type { LayerRow, LayerTable } from "../../steering/layer-table.ts";
import type {
  AdjustedEffect,
  LayerSteering,
  RandomArms,
  SteeredArm,
  SteeredRate,
  SteeringReport,
} from "../../steering/steering-report.ts";
import { countPrompts, points, pValue } from "../../util/figures.ts";
import { printable, textTable } from "../../util/text-table.ts";
import { formatRate } from "./evaluation.ts";

const P_DECIMALS = 4;

/** What `culprit steer` prints; the table of layers where the behaviour's diagnostics are at hand. */
export function formatSteering(report: SteeringReport, layers: LayerTable | undefined): string {
  const { mode, checkpoint, behavior, prompts, scenarios, requests } = report;
  const { sampling, unsteered, notes } = report;
  const does = mode === "add" ? "direction added" : "direction projected out";
  return [
    `${does} on ${printable(checkpoint.name)}; "shows" means that the response ${printable(behavior)}`,
    `${prompts} prompts${scenarios === requests ? "" : ` (${countPrompts(scenarios, requests)})`}, ${sampling.samples} samples each; unsteered text: ${nats(unsteered.coherence.logprob)} nats per token`,
    ...report.layers.flatMap((layer) => ["", ...layerSection(layer, unsteered)]),
    ...(layers === undefined ? [] : ["", ...layersSection(layers)]),
    ...(notes.length === 0 ? [] : [""]),
    ...notes,
  ].join("\n");
}

function layerSection(layer: LayerSteering, unsteered: SteeredArm): string[] {
  const { effects } = layer;
  return [
    `${sectionName(layer)}: ${layer.reason}`,
    ...armRows(layer, unsteered),
    ...(effects.length === 0
      ? []
      : [
          ...textTable([
            [
              "difference [95%], p (Holm)",
              "steered - unsteered",
              "steered - random",
              "random - unsteered",
            ],
            ...effects.map((effect) => [
              printable(effect.variant),
              formatEffect(effect.steeredToUnsteered),
              formatEffect(effect.steeredToRandom),
              formatEffect(effect.randomToUnsteered),
            ]),
          ]),
          ...effects.map(({ variant, sentence }) => `${printable(variant)}: ${sentence}`),
        ]),
  ];
}

function sectionName({ layer, length }: LayerSteering): string {
  if (layer === undefined || length === undefined) return "each layer's own direction, together";
  return `layer ${layer}, direction of length ${length.toPrecision(3)}`;
}

function armRows({ grid, steered, random }: LayerSteering, unsteered: SteeredArm): string[] {
  const own = grid.length > 0 ? grid : steered === undefined ? [] : [steered];
  return textTable([
    [
      "rate [95%]",
      "strength",
      "nats lost",
      "missing",
      ...unsteered.rates.map(({ variant }) => printable(variant)),
    ],
    ["unsteered", "-", "-", ...rateCells(unsteered.rates)],
    ...own.map((arm) => [
      arm.name === steered?.name ? "steered" : "not chosen",
      arm.strength === undefined ? "-" : `${arm.strength}`,
      nats(arm.drop),
      ...rateCells(arm.rates),
    ]),
    ...(random?.directions ?? []).map((arm, i) => [
      `random ${i + 1}`,
      arm.strength === undefined ? "-" : `${arm.strength}`,
      nats(arm.drop),
      ...rateCells(arm.rates),
    ]),
    ...(random === undefined || random.directions.length < 2
      ? []
      : [
          [
            `random, ${isEachComparable(random) ? "all" : "coherent"}`,
            "",
            "",
            ...rateCells(random.rates),
          ],
        ]),
  ]);
}

/** Whether the rates are over all random directions: where none is coherent, all of them are taken. */
function isEachComparable({ directions }: RandomArms): boolean {
  const coherent = directions.filter(({ isCoherent }) => isCoherent).length;
  return coherent === directions.length || coherent === 0;
}

function rateCells(rates: readonly SteeredRate[]): string[] {
  const missing = rates.reduce((sum, each) => sum + each.missing, 0);
  return [`${missing}`, ...rates.map(({ rate }) => formatRate(rate))];
}

function formatEffect(effect: AdjustedEffect | undefined): string {
  if (effect === undefined) return "-";
  const { difference, low, high, adjustedP } = effect;
  return `${points(difference)} [${points(low)}, ${points(high)}] ${pValue(adjustedP, P_DECIMALS)}`;
}

function layersSection({ rows, choice }: LayerTable): string[] {
  const variants = rows.find(({ effects }) => effects.length > 0)?.effects ?? [];
  return [
    ...textTable([
      [
        "layer",
        "AUROC [95%]",
        "split-half",
        "separation",
        "stable",
        ...variants.map(({ variant }) => `steering, ${printable(variant)}`),
      ],
      ...rows.map((row) => layerRow(row, variants.length)),
    ]),
    choice.kind === "chosen"
      ? `layer ${choice.layer} chosen: ${choice.reason}`
      : `no layer chosen: ${choice.reason}`,
  ];
}

function layerRow(
  { layer, heldOut, splitHalf, separation, isStable, effects }: LayerRow,
  variants: number,
): string[] {
  const steered = effects.map(({ steeredToUnsteered, verdict }) =>
    steeredToUnsteered === undefined
      ? verdict
      : `${points(steeredToUnsteered.difference)} ${verdict}`,
  );
  return [
    `${layer}`,
    heldOut.kind === "measured"
      ? `${heldOut.auroc.toFixed(3)} [${heldOut.low.toFixed(3)}, ${heldOut.high.toFixed(3)}]`
      : "-",
    splitHalf.kind === "measured" ? splitHalf.mean.toFixed(3) : "-",
    separation.kind === "measured" ? separation.ratio.toFixed(2) : "-",
    isStable ? "yes" : "no",
    ...(steered.length > 0 ? steered : Array.from({ length: variants }, () => "not measured")),
  ];
}

const nats = (value: number | undefined): string => (value === undefined ? "-" : value.toFixed(2));
