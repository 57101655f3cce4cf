import type { Estimate, Forecast, Score } from "../../forecast/forecast-file.ts";
import { number, percent, pValue, signed, withInterval } from "../../util/figures.ts";
import {
  type Column,
  headOf,
  type Lines,
  printable,
  tableOf,
  textOf,
} from "../../util/text-table.ts";

const P_DECIMALS = 3;
/** Behaviours printed; the JSON has all. */
const MAX_SHOWN = 200;

/** What `culprit forecast` prints. */
export function formatForecast(found: Forecast): string {
  const { behaviors, pairs, stores, score, cells, topicColumn } = found;
  const of = pairs.clusteredBy === "prompt" ? ` of ${pairs.clusters} prompts` : "";
  return textOf(
    `${behaviors.length} behaviours, ${pairs.count} pairs${of}; ${stores.map(({ features, layer }) => `${features} at layer ${layer}`).join(", ")}`,
    topicColumn !== undefined && `${cells.length} cells of ${printable(topicColumn)} and behaviour`,
    "",
    score === undefined ? predictorRows(found) : scoreRows(score),
  );
}

const short = ({ value, ...interval }: Estimate): string => withInterval(value, interval, number);

function predictorRows({ behaviors, predictors, stores, calibration }: Forecast): Lines {
  type Row = Forecast["behaviors"][number];
  const [first] = stores;
  const columns: Column<Row>[] = [
    ["behaviour", ({ name }) => printable(name)],
    ...(calibration === undefined
      ? []
      : [
          [
            `forecast ${calibration.measure} [95%]`,
            (each: Row) => each.forecast && short(each.forecast),
          ] as const,
        ]),
    ...predictors.map((name): Column<Row> => [
      name,
      ({ values }) => {
        const value = values[name];
        return value && (name === predictors[0] ? short(value) : number(value.value));
      },
    ]),
    [
      `p of ${first!.features}`,
      ({ nulls }) => nulls[first!.features] && pValue(nulls[first!.features]!.p, P_DECIMALS),
    ],
  ];
  const rows = behaviors.toSorted((a, b) => order(b) - order(a));
  return headOf(rows, MAX_SHOWN, (shown) => tableOf(shown, columns));
}

/** By the forecast, where there is one, else by the last predictor. */
const order = ({ forecast, values }: Forecast["behaviors"][number]): number =>
  forecast?.value ?? Object.values(values).at(-1)!.value;

const HELD_OUT = {
  given: "calibrated before, on other pairs",
  "leave-one-out": "each forecast without its own shift",
  "leave-family-out": "each forecast without its family's shifts",
  split: "a random half, calibrated by the other",
} as const;

function scoreRows(score: Score): Lines {
  const { measure, holdout, heldOut, forecasts, advantages, behaviors, missing } = score;
  const held = behaviors.filter(({ predicted }) => predicted !== undefined);
  const hits = held.filter(({ hit }) => hit === true).length;
  const absent = Object.entries(missing).map(([name, reason]) => `${name}: ${reason}`);
  return [
    `${heldOut} held-out behaviours (${HELD_OUT[holdout]}), shift of the ${measure}`,
    "",
    tableOf(forecasts, [
      ["forecast", ({ name }) => name],
      ["R² [95%]", ({ r2 }) => r2 && withInterval(r2.value, r2, (value) => value.toFixed(2))],
      ["signs", ({ signs }) => `${percent(signs.share)} of ${signs.of}`],
      ["moved", ({ movedSigns }) => `${percent(movedSigns.share)} of ${movedSigns.of}`],
      [
        "slope [95%]",
        ({ slope }) => slope && withInterval(slope.value, slope, (v) => v.toFixed(2)),
      ],
      ["intercept [95%]", ({ intercept }) => intercept && short(intercept)],
    ]),
    advantages.length > 0 &&
      `R² of the combination less that of ${advantages.map(({ over, ...found }) => `${over} ${withInterval(found.value, found, (v) => v.toFixed(2))}`).join(", ")}`,
    absent.length > 0 && `not scored: ${absent.join("; ")}`,
    "",
    `combination: ${hits} hits, ${held.length - hits} misses`,
    headOf(held, MAX_SHOWN, (shown) =>
      tableOf(shown, [
        ["behaviour", ({ name }) => printable(name)],
        ["observed [95%]", ({ observed }) => withInterval(observed.shift, observed, signed)],
        ["predicted", ({ predicted }) => predicted && signed(predicted["combination"] ?? 0)],
        [
          "off by",
          ({ observed, predicted }) => signed(observed.shift - (predicted?.["combination"] ?? 0)),
        ],
        [
          "sign",
          ({ hit, moved }) =>
            `${hit === true ? "hit" : "MISS"}${moved ? "" : " (0 within the interval)"}`,
        ],
      ]),
    ),
  ];
}
