/**
 * @file Draws README's picture from a finished demo: a bar for each arm's rate with its 95% interval, and beneath each edit its random
 * control. `npm run demo -- --out DIR && npx tsx scripts/demo-figure.ts DIR`. Colours are legible on light pages and on dark ones.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { argv } from "node:process";

import { type ArmEdit, type ExperimentResult, RESULT } from "../src/runs/result.ts";
import { ConfigError } from "../src/util/errors.ts";

const DEFAULT_FILE = "docs/images/demo.svg";

const WIDTH = 720;
const LEFT = 258;
const RIGHT = 552;
const TOP = 44;
const BAR_HEIGHT = 13;
const ROW = 18;
/** Space above an arm that is not a control, so that each control stands with its arm. */
const GROUP_GAP = 9;

const TEXT = "#768390";
const ARM = "#d9544d";
const RANDOM = "#3d8bd4";

interface Bar {
  readonly label: string;
  readonly rate: number;
  readonly low: number;
  readonly high: number;
  readonly isControl: boolean;
}

/** The picture of an experiment that trained on edits, as SVG. Throws ConfigError where it measured none. */
export function drawFigure(result: ExperimentResult): string {
  const bars = listBars(result);
  let y = TOP;
  const rows = bars.map((bar, i) => {
    if (i > 0) y += bar.isControl ? ROW : ROW + GROUP_GAP;
    return drawBar(bar, y);
  });
  const bottom = y + ROW;
  const title = escapeText(`How often the model ${result.behavior}`);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + 44}" font-family="system-ui, sans-serif" font-size="13" fill="${TEXT}">`,
    `<title>${title}</title>`,
    `<text x="8" y="22" font-size="15" font-weight="600">${title}</text>`,
    ...[0, 0.25, 0.5, 0.75, 1].map((share) => drawTick(share, bottom)),
    ...rows,
    `<text x="8" y="${bottom + 38}" font-size="12">Share of the sampled responses. Thin lines and brackets: 95% intervals.</text>`,
    "</svg>\n",
  ].join("\n");
}

/** Before, baseline, then each edit that was trained on with its first control. */
function listBars({ evaluation, trigger, edits }: ExperimentResult): Bar[] {
  const variant = evaluation?.variants.find((each) => each.variant === trigger);
  if (evaluation === undefined || variant === undefined) {
    throw new ConfigError("expected the result of an experiment with edits, got one without");
  }
  const barOf = (name: string, label: string, isControl = false): Bar[] => {
    const { rate, low, high } = variant.arms.find(({ arm }) => arm === name)?.rate ?? {};
    if (rate === undefined || low === undefined || high === undefined) return [];
    return [{ label, rate, low, high, isControl }];
  };
  return [
    ...barOf("before", "before preference training"),
    ...barOf(evaluation.baseline ?? "baseline", "trained on all pairs"),
    ...edits
      .filter(({ pick }) => pick === "chosen")
      .flatMap((edit) => [
        ...barOf(edit.arm, describeEdit(edit)),
        ...barOf(edit.controls[0] ?? "", "the same with random pairs", true),
      ]),
  ];
}

function describeEdit({ action, pairs, groups }: ArmEdit): string {
  if (action === "drop-source") return `without ${groups.length} sources, ${pairs} pairs`;
  return action === "swap" ? `top ${pairs} pairs swapped` : `without the top ${pairs} pairs`;
}

function drawBar({ label, rate, low, high, isControl }: Bar, y: number): string {
  const color = isControl ? RANDOM : ARM;
  const middle = y + BAR_HEIGHT / 2;
  const baseline = y + BAR_HEIGHT - 2;
  const figures = `${percent(rate)} [${percent(low)}, ${percent(high)}]`;
  return [
    `<text x="${LEFT - 10}" y="${baseline}" text-anchor="end">${escapeText(label)}</text>`,
    `<rect x="${LEFT}" y="${y}" width="${round(at(rate) - LEFT)}" height="${BAR_HEIGHT}" fill="${color}" fill-opacity="0.55"/>`,
    `<path d="M${at(low)} ${middle}H${at(high)}M${at(low)} ${middle - 4}v8M${at(high)} ${middle - 4}v8" stroke="${color}" stroke-width="1.5"/>`,
    `<text x="${WIDTH - 8}" y="${baseline}" text-anchor="end" font-size="12">${figures}</text>`,
  ].join("");
}

function drawTick(share: number, bottom: number): string {
  const x = at(share);
  return `<path d="M${x} ${TOP - 6}V${bottom}" stroke="${TEXT}" stroke-opacity="0.3"/><text x="${x}" y="${bottom + 16}" text-anchor="middle" font-size="12">${share * 100}%</text>`;
}

const at = (share: number): number => round(LEFT + share * (RIGHT - LEFT));

const round = (value: number): number => Math.round(value * 10) / 10;

const percent = (share: number): string => `${(share * 100).toFixed(1)}%`;

const escapeText = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

const [, , folder, file = DEFAULT_FILE] = argv;
const result = folder === undefined ? undefined : await RESULT.read(join(folder, RESULT.name));
if (result === undefined) {
  throw new ConfigError("expected the folder of a finished demo and, if you like, a file to write");
}
await mkdir(dirname(file), { recursive: true });
await writeFile(file, drawFigure(result));
