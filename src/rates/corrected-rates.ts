/** @file The rate that people would find, from a judge's verdicts on all rollouts and people's labels on some of them. */
import { z } from "zod";

import { clusteredRateSchema } from "../stats/clustered-rate.ts";
import type { Plain } from "../util/artifact.ts";
import { addCounts, correctedRateSchema, type JudgeCells, rateOf } from "./judge-cells.ts";
import { ppiRateSchema, predictionPowered } from "./prediction-powered.ts";
import { roganGladen } from "./rogan-gladen.ts";

/** The same rate by several ways. Labelled rollouts are taken to be drawn from all by chance. */
export const correctedRatesSchema = z.strictObject({
  /** As the judge says, its errors left in. */
  judge: clusteredRateSchema,
  /** The labelled rollouts alone. */
  people: clusteredRateSchema,
  roganGladen: correctedRateSchema,
  ppi: ppiRateSchema,
});
export type CorrectedRates = Plain<typeof correctedRatesSchema>;

/** Corrects a judge's rate for its errors. */
export function correctedRates(cells: JudgeCells): CorrectedRates {
  const { bothShow, judgeOnly, personOnly, neither, unlabelledShow, unlabelledNot } = cells;
  return {
    judge: rateOf(
      addCounts(bothShow, judgeOnly, unlabelledShow),
      addCounts(personOnly, neither, unlabelledNot),
    ),
    people: rateOf(addCounts(bothShow, personOnly), addCounts(judgeOnly, neither)),
    roganGladen: roganGladen(cells),
    ppi: predictionPowered(cells),
  };
}
