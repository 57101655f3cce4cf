import {
  type Estimate,
  type Forecast,
  PREDICTOR_KINDS,
  type Score,
} from "../../forecast/forecast-file.ts";
import type { Share } from "../../stats/wilson.ts";
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

/** The forecast, where there is one, and what each store says: a table each, behaviours in one order. */
function predictorRows({ behaviors, predictors, stores, calibration }: Forecast): Lines {
  type Row = Forecast["behaviors"][number];
  const rows = behaviors.toSorted((a, b) => order(b) - order(a));
  const named: Column<Row> = ["behaviour", ({ name }) => printable(name)];
  const table = (columns: readonly Column<Row>[]): Lines =>
    headOf(rows, MAX_SHOWN, (shown) => tableOf(shown, [named, ...columns]));
  const own: Lines = calibration && [
    table([
      [`forecast ${calibration.measure} [95%]`, ({ forecast }) => forecast && short(forecast)],
    ]),
    "",
  ];
  const ofStores = stores.map(({ features, layer }, s): Lines => {
    const columns = PREDICTOR_KINDS.flatMap((kind): Column<Row>[] => {
      const name = `${features}.${kind}`;
      if (!predictors.includes(name)) return [];
      const column: Column<Row> = [
        `${kind} [95%]`,
        ({ values }) => values[name] && short(values[name]),
      ];
      return kind === "projection"
        ? [column, ["p", ({ nulls }) => pOf(nulls[features])]]
        : [column];
    });
    return [s > 0 && "", `${features} at layer ${layer}`, table(columns)];
  });
  return [own, ...ofStores];
}

const pOf = (found: { readonly p: number } | undefined): string | undefined =>
  found && pValue(found.p, P_DECIMALS);

/** By the forecast, where there is one, else by the last predictor. */
const order = ({ forecast, values }: Forecast["behaviors"][number]): number =>
  forecast?.value ?? Object.values(values).at(-1)!.value;

const shareOf = ({ share, low, high, of }: Share): string =>
  share === undefined
    ? `none of ${of}`
    : `${withInterval(share, { low, high }, (value) => percent(value))} of ${of}`;

const HELD_OUT = {
  given: "by the calibration that was given, which has not seen these shifts",
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
      ["signs [95%]", ({ signs }) => shareOf(signs)],
      ["moved [95%]", ({ movedSigns }) => shareOf(movedSigns)],
      ["within 95%", ({ covered }) => `${covered.count} of ${covered.of}`],
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
        [
          "predicted [95%]",
          ({ predicted }) =>
            predicted?.["combination"] &&
            withInterval(predicted["combination"].value, predicted["combination"], signed),
        ],
        [
          "off by",
          ({ observed, predicted }) =>
            predicted?.["combination"] && signed(observed.shift - predicted["combination"].value),
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
