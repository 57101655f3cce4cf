import type { Score } from "../../forecast/forecast-file.ts";
import { definePart } from "../report-part.ts";

/** What was forecast of each behaviour, and what came of it; the weights that made it are in the file alone. */
export const forecastPart = definePart({
  name: "forecast",
  read: async ({ forecast }) => {
    if (forecast === undefined) return undefined;
    const { calibration, score, ...made } = forecast;
    return {
      ...made,
      /** What the forecasts are shifts of; undefined where they have no unit. */
      measure: calibration?.measure,
      /** Undefined where nobody held it to what training did. */
      score: score === undefined ? undefined : withoutWeights(score),
    };
  },
});

function withoutWeights(score: Score): Omit<Score, "calibration"> {
  const { calibration: _, ...rest } = score;
  return rest;
}
