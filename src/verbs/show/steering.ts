import type { LayerRow, LayerTable } from "../../steering/layer-table.ts";
import type {
  AdjustedEffect,
  CheckedArm,
  LayerSteering,
  RandomArms,
  SteeredArm,
  SteeredRate,
  SteeringReport,
} from "../../steering/steering-report.ts";
import { countPrompts, formatRate, points, pValue, withInterval } from "../../util/figures.ts";
import { type Column, type Lines, printable, tableOf, textOf } from "../../util/text-table.ts";
import { describeChoice, formatAuroc, measured } from "./behavior.ts";

const P_DECIMALS = 4;

/** What `culprit steer` prints; the table of layers where the behaviour's diagnostics are at hand. */
export function formatSteering(report: SteeringReport, layers: LayerTable | undefined): string {
  const { mode, checkpoint, behavior, prompts, scenarios, requests } = report;
  const { sampling, unsteered, notes } = report;
  const does = mode === "add" ? "direction added" : "direction projected out";
  return textOf(
    `${does} on ${printable(checkpoint.name)}; "shows" means that the response ${printable(behavior)}`,
    `${prompts} prompts${scenarios === requests ? "" : ` (${countPrompts(scenarios, requests)})`}, ${sampling.samples} samples each; unsteered text: ${nats(unsteered.coherence.logprob) ?? "-"} nats per token`,
    report.layers.map((layer) => ["", layerSection(layer, unsteered)]),
    layers && ["", layersSection(layers)],
    notes.length > 0 && ["", notes],
  );
}

function layerSection(layer: LayerSteering, unsteered: SteeredArm): Lines {
  const { effects } = layer;
  return [
    `${sectionName(layer)}: ${layer.reason}`,
    armRows(layer, unsteered),
    effects.length > 0 && effectRows(effects),
    effects.map(({ variant, sentence }) => `${printable(variant)}: ${sentence}`),
  ];
}

const effectRows = (effects: LayerSteering["effects"]): string[] =>
  tableOf(effects, [
    ["difference [95%], p (Holm)", ({ variant }) => printable(variant)],
    ["steered - unsteered", (effect) => formatEffect(effect.steeredToUnsteered)],
    ["steered - random", (effect) => formatEffect(effect.steeredToRandom)],
    ["random - unsteered", (effect) => formatEffect(effect.randomToUnsteered)],
  ]);

function sectionName({ layer, length }: LayerSteering): string {
  if (layer === undefined || length === undefined) return "each layer's own direction, together";
  return `layer ${layer}, direction of length ${length.toPrecision(3)}`;
}

/** A line of the table of arms. */
interface Row {
  readonly what: string;
  readonly strength?: number | string | undefined;
  readonly lost?: string | undefined;
  readonly rates: readonly SteeredRate[];
}

function armRows({ grid, steered, random }: LayerSteering, unsteered: SteeredArm): string[] {
  const own = grid.length > 0 ? grid : steered === undefined ? [] : [steered];
  const row = (what: string, { strength, drop, rates }: CheckedArm): Row => ({
    what,
    strength,
    lost: nats(drop),
    rates,
  });
  const rows = [
    { what: "unsteered", rates: unsteered.rates },
    ...own.map((arm) => row(arm.name === steered?.name ? "steered" : "not chosen", arm)),
    ...(random?.directions ?? []).map((arm, i) => row(`random ${i + 1}`, arm)),
    ...(random === undefined ? [] : togetherRow(random)),
  ];
  return tableOf<Row>(rows, [
    ["rate [95%]", ({ what }) => what],
    ["strength", ({ strength }) => strength],
    ["nats lost", ({ lost }) => lost],
    ["missing", ({ rates }) => rates.reduce((sum, { missing }) => sum + missing, 0)],
    ...unsteered.rates.map(({ variant }, i): Column<Row> => [
      printable(variant),
      ({ rates }) => rates[i] && formatRate(rates[i].rate),
    ]),
  ]);
}

/** The random directions together, where there are several: all of them, or where some are coherent and some not, the coherent ones. */
function togetherRow({ directions, rates }: RandomArms): Row[] {
  if (directions.length < 2) return [];
  const coherent = directions.filter(({ isCoherent }) => isCoherent).length;
  const isAll = coherent === directions.length || coherent === 0;
  return [{ what: `random, ${isAll ? "all" : "coherent"}`, strength: "", lost: "", rates }];
}

function formatEffect(effect: AdjustedEffect | undefined): string | undefined {
  if (effect === undefined) return undefined;
  const { difference, adjustedP } = effect;
  return `${withInterval(difference, effect, points)} ${pValue(adjustedP, P_DECIMALS)}`;
}

function layersSection({ rows, choice }: LayerTable): string[] {
  const variants = rows.find(({ effects }) => effects.length > 0)?.effects ?? [];
  return [
    ...tableOf(rows, [
      ["layer", ({ layer }) => layer],
      ["AUROC [95%]", ({ heldOut }) => measured(heldOut, formatAuroc)],
      ["split-half", ({ splitHalf }) => measured(splitHalf, ({ mean }) => mean.toFixed(3))],
      ["separation", ({ separation }) => measured(separation, ({ ratio }) => ratio.toFixed(2))],
      ["stable", ({ isStable }) => (isStable ? "yes" : "no")],
      ...variants.map(({ variant }, i): Column<LayerRow> => [
        `steering, ${printable(variant)}`,
        ({ effects }) => describeSteered(effects[i]),
      ]),
    ]),
    describeChoice(choice),
  ];
}

function describeSteered(effect: LayerRow["effects"][number] | undefined): string {
  if (effect === undefined) return "not measured";
  const { steeredToUnsteered: moved, verdict } = effect;
  return moved === undefined ? verdict : `${points(moved.difference)} ${verdict}`;
}

const nats = (value: number | undefined): string | undefined => value?.toFixed(2);
