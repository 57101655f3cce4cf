/** @file The prediction-powered rate: what the judge says of all rollouts, put right by what people say of some of them. */
import { z } from "zod";

import { betaQuantile } from "../stats/beta.ts";
import { twoSidedQuantile } from "../stats/student-t.ts";
import type { Plain } from "../util/artifact.ts";
import {
  addCounts,
  correctedRateSchema,
  type JudgeCells,
  labelledCounts,
  total,
} from "./judge-cells.ts";

/** A prediction-powered rate; `weight` is how far the judge is relied on: 0 not at all, below 0 where it has things backwards. */
export const ppiRateSchema = z.strictObject({
  ...correctedRateSchema.shape,
  weight: z.number().optional(),
});
export type PpiRate = Plain<typeof ppiRateSchema>;

/** Rollouts of which the judge says the same: how many of those that people labelled show it. */
interface Stratum {
  readonly shows: number;
  readonly labelled: number;
}

/** The two strata by the judge's verdict, and how many of all rollouts are in the first. */
interface Strata {
  readonly called: Stratum;
  readonly uncalled: Stratum;
  readonly calls: number;
  readonly of: number;
}

const Z = 1.959963984540054;
const LEVEL = 0.05;

/**
 * The prediction-powered rate, PPI++ (Angelopoulos, Duchi and Zrnic 2023): the labelled rate, moved by `weight` times what the judge says of
 * unlabelled less what it says of labelled rollouts, with the weight of least variance for single rollouts. That is also the likeliest
 * rate of double sampling (Tenenbein 1970), π·p + (1 - π)·q: π how often the judge says that it shows, p and q how often people do where
 * it says so and where it does not.
 *
 * The interval is that of a beta distribution with the mean and variance of this sum under Jeffreys' prior for each part, the variance
 * times what prompts add to it. It keeps a width where the labels show no error of the judge. Labelled rollouts are taken to be drawn
 * from all by chance.
 */
export function predictionPowered(cells: JudgeCells): PpiRate {
  const strata = strataOf(cells);
  const { called, uncalled, of } = strata;
  const labelled = called.labelled + uncalled.labelled;
  if (labelled === 0) {
    const why = "nothing is labelled";
    return { rate: undefined, low: undefined, high: undefined, weight: undefined, why };
  }
  const people = (called.shows + uncalled.shows) / labelled;
  const slope = slopeOf(strata);
  const rate = people + slope * (strata.calls / of - called.labelled / labelled);
  const inflation = promptInflation(cells, strata);
  const counted = people === 0 || people === 1 ? oncePerPrompt(strata, cells) : strata;
  const [low, high] = [lowEnd(counted, inflation), 1 - lowEnd(mirrored(counted), inflation)];
  return {
    rate: clip(rate),
    low: clip(people === 0 ? 0 : Math.min(rate, low)),
    high: clip(people === 1 ? 1 : Math.max(rate, high)),
    weight: slope * (1 - labelled / of),
    why: undefined,
  };
}

function strataOf(cells: JudgeCells): Strata {
  const [bothShow, judgeOnly] = [total(cells.bothShow), total(cells.judgeOnly)];
  const [personOnly, neither] = [total(cells.personOnly), total(cells.neither)];
  const calls = bothShow + judgeOnly + total(cells.unlabelledShow);
  return {
    called: { shows: bothShow, labelled: bothShow + judgeOnly },
    uncalled: { shows: personOnly, labelled: personOnly + neither },
    calls,
    of: calls + personOnly + neither + total(cells.unlabelledNot),
  };
}

/** The same with the opposite of the behaviour: the rate becomes 1 - rate. */
function mirrored({ called, uncalled, ...rest }: Strata): Strata {
  const turn = ({ shows, labelled }: Stratum): Stratum => ({ shows: labelled - shows, labelled });
  return { called: turn(called), uncalled: turn(uncalled), ...rest };
}

const shareOf = ({ shows, labelled }: Stratum): number => (labelled === 0 ? 0 : shows / labelled);

/** p - q; 0 where one of them has no label, so that the judge says nothing. */
function slopeOf({ called, uncalled }: Strata): number {
  return called.labelled === 0 || uncalled.labelled === 0 ? 0 : shareOf(called) - shareOf(uncalled);
}

/**
 * Jeffreys' prior counts half a rollout that shows. For the lower end of a stratum in which none does that is too much: p and q would
 * both add something, and the end lies above the truth in up to 14% of the experiments; less than a quarter holds in
 * bench/corrected-rate-coverage.ts.
 */
const UNSEEN = 0.2;

/** The lower end, from the beta distribution that has the mean and the variance of π·p + (1 - π)·q. */
function lowEnd({ called, uncalled, calls, of }: Strata, inflation: number): number {
  const judge = beta(calls + 0.5, of - calls + 0.5);
  const [p, q] = [called, uncalled].map(({ shows, labelled }) =>
    beta(shows + (shows === 0 ? UNSEEN : 0.5), labelled - shows + 0.5),
  ) as [Moments, Moments]; // two in, two out
  const mean = judge.mean * p.mean + (1 - judge.mean) * q.mean;
  const variance =
    judge.variance * (p.mean - q.mean) ** 2 +
    (judge.mean ** 2 + judge.variance) * p.variance +
    ((1 - judge.mean) ** 2 + judge.variance) * q.variance;
  const size = (mean * (1 - mean)) / (variance * inflation) - 1;
  return size <= 0 ? 0 : betaQuantile(LEVEL / 2, mean * size, (1 - mean) * size);
}

interface Moments {
  readonly mean: number;
  readonly variance: number;
}

function beta(a: number, b: number): Moments {
  const mean = a / (a + b);
  return { mean, variance: (mean * (1 - mean)) / (a + b + 1) };
}

/** Where all labels agree nothing tells how far those of a prompt hang together: each prompt counts once. */
function oncePerPrompt({ called, uncalled, ...rest }: Strata, cells: JudgeCells): Strata {
  const labels = labelledCounts(cells);
  const share = labels.filter((count) => count > 0).length / total(labels);
  const thin = ({ shows, labelled }: Stratum): Stratum => ({
    shows: shows * share,
    labelled: labelled * share,
  });
  return { called: thin(called), uncalled: thin(uncalled), ...rest };
}

/**
 * How much larger the variance is over prompts than over rollouts if they were independent, at least 1, with Student's t in place of the
 * normal.
 */
function promptInflation(cells: JudgeCells, strata: Strata): number {
  const { apart, joint } = variances(cells, strata);
  const students = twoSidedQuantile(LEVEL, Math.max(1, cells.prompts - 1)) / Z;
  return students ** 2 * (apart === 0 ? 1 : Math.max(1, joint / apart));
}

/** The variance of the rate if rollouts were independent, and as it is over prompts. */
function variances(
  cells: JudgeCells,
  strata: Strata,
): { readonly apart: number; readonly joint: number } {
  const { prompts, bothShow, judgeOnly, personOnly, neither, unlabelledShow } = cells;
  const { called, uncalled, calls, of } = strata;
  const [share, p, q, slope] = [calls / of, shareOf(called), shareOf(uncalled), slopeOf(strata)];
  const all = addCounts(labelledCounts(cells), unlabelledShow, cells.unlabelledNot);
  const pOf = called.labelled === 0 ? 0 : share / called.labelled;
  const qOf = uncalled.labelled === 0 ? 0 : (1 - share) / uncalled.labelled;
  const errors = all.map((count, i) => {
    const said = bothShow[i]! + judgeOnly[i]! + unlabelledShow[i]!;
    const ofP = bothShow[i]! - p * (bothShow[i]! + judgeOnly[i]!);
    const ofQ = personOnly[i]! - q * (personOnly[i]! + neither[i]!);
    return (slope * (said - share * count)) / of + pOf * ofP + qOf * ofQ;
  });
  const squares = errors.reduce((sum, error) => sum + error * error, 0);
  return {
    apart:
      (slope ** 2 * share * (1 - share)) / of +
      pOf ** 2 * called.labelled * p * (1 - p) +
      qOf ** 2 * uncalled.labelled * q * (1 - q),
    joint: prompts < 2 ? squares : (squares * prompts) / (prompts - 1),
  };
}

const clip = (value: number): number => Math.max(0, Math.min(1, value));
