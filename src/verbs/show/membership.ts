import type { Membership, MembershipFigures } from "../../pairs/audit-membership.ts";
import { formatEstimate, number, percent, points, withInterval } from "../../util/figures.ts";
import { headOf, type Lines, printable, tableOf } from "../../util/text-table.ts";

/** Rows of the table of sources, at most; the JSON report has all of them. */
const MAX_ROWS = 20;

/** What `culprit audit` prints of two checkpoints, the verdict first. */
export function membershipSection(found: Membership | undefined): Lines {
  if (found === undefined) return undefined;
  const { claimed, heldOut, comparison, displacement, sources, verdict, remarks } = found;
  const rows: Row[] = [
    { name: "claimed", figures: claimed.figures },
    ...(heldOut === undefined ? [] : [{ name: "held-out", figures: heldOut.figures }]),
    ...sources.flatMap(({ source, claimed: own, heldOut: other }) => [
      ...(own === undefined ? [] : [{ name: source, figures: own }]),
      ...(other === undefined ? [] : [{ name: `${source}, held-out`, figures: other }]),
    ]),
  ];
  return [
    "",
    verdict.sentence,
    `M0 is ${printable(found.before.name)}, M1 ${printable(found.after.name)}`,
    remarks.map((line) => `  ${line}`),
    "",
    headOf(rows, MAX_ROWS, (shown) => tableOf(shown, ACCURACY), "  "),
    "",
    headOf(rows, MAX_ROWS, (shown) => tableOf(shown, DRIFT), "  "),
    "",
    comparison !== undefined && [
      `claimed above held-out (AUROC): margin ${formatEstimate(comparison.separation)}, per token ${formatEstimate(comparison.separationPerToken)}`,
      `chosen preferred, claimed minus held-out, in points: ${inPoints(comparison.accuracy)}, per token ${inPoints(comparison.accuracyPerToken)}`,
    ],
    `CHES with the drift of the chosen response (Spearman; below 0, it foretells displacement): plain ${correlation(displacement.plain)}, length-normalised ${correlation(displacement.normalised)}`,
  ];
}

interface Row {
  readonly name: string;
  readonly figures: MembershipFigures;
}

type Figure = MembershipFigures["accuracy"];

const shares = ({ value, ...interval }: Figure): string => withInterval(value, interval, percent);
const inPoints = ({ value, ...interval }: Figure): string => withInterval(value, interval, points);
const nats = ({ value, ...interval }: Figure): string => withInterval(value, interval, number);
const correlation = (found: Membership["displacement"]["plain"]): string =>
  found === undefined ? "-" : formatEstimate({ value: found.r, ...found });

type Columns = Parameters<typeof tableOf<Row>>[1];

const ACCURACY: Columns = [
  ["pairs", ({ name }) => printable(name)],
  ["count", ({ figures }) => figures.pairs],
  ["prompts", ({ figures }) => figures.prompts],
  ["chosen preferred [95%]", ({ figures }) => shares(figures.accuracy)],
  ["per token", ({ figures }) => shares(figures.accuracyPerToken)],
  ["margin, nats", ({ figures }) => nats(figures.margin)],
  ["chosen less likely", ({ figures }) => shares(figures.displaced)],
];

const DRIFT: Columns = [
  ["drift, nats", ({ name }) => printable(name)],
  ["chosen [95%]", ({ figures }) => nats(figures.chosen.perResponse)],
  ["per token", ({ figures }) => nats(figures.chosen.perToken)],
  ["rejected", ({ figures }) => nats(figures.rejected.perResponse)],
  ["per token", ({ figures }) => nats(figures.rejected.perToken)],
  ["CHES, per token", ({ figures }) => nats(figures.ches.normalised)],
];
