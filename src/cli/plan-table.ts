import type { PlannedStage, RunPlan } from "../experiment/plan-run.ts";
import { formatSeconds, moneyAmount } from "../util/figures.ts";
import { type Column, printable, tableOf, textOf } from "../util/text-table.ts";

/** What `culprit run --dry-run` prints: a line for each stage, the sum, and where the figures come from. */
export function formatPlan(plan: RunPlan): string {
  const { stages, currency, freeBytes, places, atOnce, speed } = plan;
  const toRun = stages.filter(({ isThere }) => !isThere);
  const total = (of: (stage: PlannedStage) => number | undefined): number =>
    stages.reduce((sum, stage) => sum + (of(stage) ?? 0), 0);
  const needed = total(({ bytes }) => bytes);
  const unknown = toRun.filter(({ seconds }) => seconds === undefined);
  const hasMoney = toRun.some(({ asking }) => asking?.money !== undefined);
  const isAsking = toRun.some(({ asking }) => asking !== undefined);
  const isMeasured = toRun.some(({ basis }) => basis === "earlier stages");
  const sum: Line = {
    seconds: total(({ seconds }) => seconds),
    tokens: total(({ tokens }) => tokens),
    bytes: needed,
  };
  const asked: readonly Column<Line>[] = [
    [
      "requests",
      ({ id, asking }) =>
        asking?.requests ?? (id === undefined ? total((each) => each.asking?.requests) : ""),
    ],
    [
      "prompt tokens",
      ({ id, asking }) =>
        asking?.promptTokens ??
        (id === undefined ? total((each) => each.asking?.promptTokens) : ""),
    ],
    [
      "answer tokens",
      ({ id, asking }) =>
        asking?.completionTokens ??
        (id === undefined ? total((each) => each.asking?.completionTokens) : ""),
    ],
  ];
  const money: Column<Line> = [
    currency,
    ({ id, asking }) =>
      id === undefined
        ? moneyAmount(total((each) => each.asking?.money))
        : asking?.money === undefined
          ? ""
          : moneyAmount(asking.money),
  ];
  return textOf(
    `${toRun.length} of ${stages.length} stages would run; nothing is run now`,
    ...places.map((place) => printable(place, 400)),
    "",
    tableOf<Line>(
      [...stages, sum],
      [
        ["stage", ({ id }) => (id === undefined ? "sum" : printable(id))],
        ["", ({ isThere }) => (isThere === undefined ? "" : isThere ? "there" : "to run")],
        [
          "time",
          ({ isThere, seconds }) => (isThere === true ? "" : seconds && formatSeconds(seconds)),
        ],
        ["by", ({ basis = "" }) => basis],
        ["tokens", ({ tokens }) => (tokens ? Math.round(tokens) : "")],
        ["disk", ({ bytes }) => (bytes ? megabytes(bytes) : "")],
        ...(isAsking ? asked : []),
        ...(hasMoney ? [money] : []),
      ],
    ),
    toRun.length > 0 && "",
    toRun.length > 1 &&
      atOnce > 1 &&
      `up to ${atOnce} stages run side by side: by the clock the whole takes less than the sum`,
    isMeasured && "earlier stages: what stages of that kind took in this folder, by their tokens",
    speed !== undefined && `${speed.basis}: ${SPEEDS[speed.basis]}, ${gigaflops(speed.flops)}`,
    unknown.length > 0 &&
      `no time is known of ${unknown.map(({ id }) => printable(id)).join(", ")}: none of the kind has run in this folder`,
    toRun.length > 0 &&
      "tokens and disk at most: responses as long as they may be, no pair left out; a stage whose inputs come out as before does not run",
    isAsking && "requests at most, repeated ones aside",
    `${megabytes(freeBytes)} free where it goes${needed > freeBytes ? `: too little for ${megabytes(needed)}` : ""}`,
  );
}

const SPEEDS: Readonly<Record<string, string>> = {
  "speed of others": "the arithmetic at the speed of the other stages in this folder",
  "short measurement":
    "the arithmetic at the speed of a matrix product on this machine, measured just now; a stage takes longer, one that samples several times as long",
};

const gigaflops = (flops: number): string => `${(flops / 1e9).toPrecision(2)} GFLOP/s`;

/** A stage, or all of them together. */
type Line = Partial<PlannedStage>;

const megabytes = (bytes: number): string =>
  bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${(bytes / 1e6).toFixed(1)} MB`;
