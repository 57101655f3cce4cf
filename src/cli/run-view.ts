import type { PricedCost } from "../engine/cost.ts";
/**
 * @file What a run shows on a terminal while it is at work: the stages around those that run, how far and how fast that is, and what was
 * spent. The lines are drawn over again; news stay above them. Without a terminal stage-log.ts says the same line by line.
 */
import type { RunExperimentOptions, StagePlace } from "../experiment/run-experiment.ts";
import { stageId } from "../experiment/stage.ts";
import type { ExperimentStatus } from "../runs/experiment-status.ts";
import { approximately, formatSeconds } from "../util/figures.ts";
import { describeStanding, shareOf, type Standing, startRate } from "../util/standing.ts";
import { printable, printableLines } from "../util/text-table.ts";
import type { Screen } from "./command.ts";
import { createTimeLeft } from "./time-left.ts";

/** Often enough to look alive, rare enough to cost nothing. */
const REDRAW_MS = 100;
/** The run writes its standing once a second. */
const LOOK_MS = 1_000;
/** Stages shown before and after those at work. */
const AROUND = 3;
const BAR_WIDTH = 24;

/** What a run tells. */
type RunHooks = {
  readonly [N in "progress" | "onStart" | "onFinish"]: NonNullable<RunExperimentOptions[N]>;
};

/** A view at work. */
export interface RunView {
  /** For runExperiment. */
  readonly hooks: RunHooks;
  /** A line that stays, above the view. */
  note(line: string): void;
  /** Draws the last of it, and lets it stand. */
  end(): Promise<void>;
}

interface StageAtWork {
  readonly id: string;
  readonly standing: Standing | undefined;
}

/** What is shown. */
export interface RunViewState {
  readonly status: ExperimentStatus | undefined;
  readonly place: StagePlace | undefined;
  /** The stages at work, or the one that was last. */
  readonly atWork: readonly StageAtWork[];
  /** Since this command began, in seconds. */
  readonly seconds: number;
  /** Of all stages to come; undefined while a kind of them has not run yet. */
  readonly secondsLeft: number | undefined;
}

export interface RunViewOptions {
  readonly screen: Screen;
  readonly look: () => Promise<ExperimentStatus | undefined>;
  readonly nowMs: () => number;
  /** After it nothing is drawn any more: somebody else writes. */
  readonly signal: AbortSignal;
}

/** Starts a view, which draws itself from its first stage on. */
export function createRunView({ screen, look, nowMs, signal }: RunViewOptions): RunView {
  const startMs = nowMs();
  const timeLeft = createTimeLeft();
  let state: Omit<RunViewState, "seconds"> = {
    status: undefined,
    place: undefined,
    atWork: [],
    secondsLeft: undefined,
  };
  let drawn = 0;
  let lastMs = -Infinity;
  const clear = (): string => (drawn === 0 ? "" : `\u001b[${drawn}A\r\u001b[J`);
  const draw = (above = ""): void => {
    if (signal.aborted) return;
    const seconds = (nowMs() - startMs) / 1000;
    const lines = formatRunView({ ...state, seconds }, screen);
    screen.write(`${clear()}${above}${lines.map((line) => `${line}\n`).join("")}`);
    drawn = lines.length;
    lastMs = nowMs();
  };
  const change = (changes: Partial<typeof state>, isUrgent: boolean): void => {
    state = { ...state, ...changes };
    if (isUrgent || nowMs() - lastMs >= REDRAW_MS) draw();
  };
  const note = (line: string): void => draw(`${printableLines(line)}\n`);
  const refresh = async (): Promise<void> => {
    const status = await look();
    if (status !== undefined) change({ status }, true);
  };
  /** Those that have ended and are still shown. */
  const ended = new Set<string>();
  const without = (id: string): readonly StageAtWork[] =>
    state.atWork.filter((each) => each.id !== id);
  let timer: NodeJS.Timeout | undefined;
  return {
    hooks: {
      onStart: (stage, place) => {
        // What is fresh in the folder, a second later at the latest.
        timer ??= setInterval(() => void refresh().catch(() => {}), LOOK_MS).unref();
        const others = state.atWork.filter(({ id }) => !ended.has(id));
        change({ place, atWork: [...others, { id: stageId(stage), standing: undefined }] }, true);
      },
      progress: (stage, _place, unit) => {
        const rateAt = startRate(nowMs);
        const id = stageId(stage);
        return {
          update: (done, total) => {
            const standing = { done, total, unit, rate: rateAt(done) };
            const atWork = state.atWork.map((each) => (each.id === id ? { id, standing } : each));
            change({ atWork }, false);
          },
          note,
          end: () => {},
        };
      },
      onFinish: (finished, place) => {
        ended.add(finished.id);
        // The last one stays until another begins.
        const others = without(finished.id);
        const last = state.atWork.map(({ id }) => ({ id, standing: undefined }));
        const atWork = others.length > 0 ? others : last;
        change({ place, atWork, secondsLeft: timeLeft(finished, place) }, false);
      },
    },
    note,
    end: async () => {
      clearInterval(timer);
      if (drawn > 0) await refresh();
    },
  };
}

/** The lines of a view, each as wide as the screen at most. */
export function formatRunView(
  { status, place, atWork, seconds, secondsLeft }: RunViewState,
  { columns, rows }: Pick<Screen, "columns" | "rows">,
): readonly string[] {
  if (place === undefined) return [];
  const known = status?.stages ?? [];
  const shown = atWork.slice(0, Math.max(1, rows - 3));
  const ids = new Set(atWork.map(({ id }) => id));
  const at = known.findLastIndex(({ id }) => ids.has(id));
  const around = Math.max(0, Math.min(AROUND, Math.floor((rows - 3 - shown.length) / 2)));
  const isDone = (id: string): boolean =>
    known.some((stage) => stage.id === id && stage.state === "done");
  // Those that this run leaves out are between them.
  const before = known
    .slice(0, Math.max(0, at))
    .filter(({ id, state }) => state === "done" && !ids.has(id))
    .slice(around === 0 ? known.length : -around);
  const after = place.remaining.slice(0, around);
  const more = place.remaining.length - after.length;
  const isOver = place.remaining.length === 0 && atWork.every(({ id }) => isDone(id));
  return [
    ...before.map((stage) => {
      const time = stage.cost === undefined ? "" : `  ${formatSeconds(stage.cost.seconds)}`;
      return `✓ ${printable(stage.id)}${stage.isCached === true ? "  there already" : time}`;
    }),
    ...shown.map(({ id, standing }) =>
      isOver ? `✓ ${printable(id)}` : `▶ ${printable(id)}${describeWork(standing)}`,
    ),
    ...after.map((stage) => `· ${printable(stageId(stage))}`),
    ...(more > 0 ? [`· and ${more} more`] : []),
    [
      `[${place.of - place.remaining.length}/${place.of}] ${formatSeconds(seconds)} here`,
      ...(secondsLeft === undefined || isOver ? [] : [`about ${formatSeconds(secondsLeft)} left`]),
      ...(status === undefined ? [] : spent(status.total, status.manifest.experiment.cost)),
    ].join(", "),
  ].map((line) => cut(line, columns));
}

function describeWork(standing: Standing | undefined): string {
  if (standing === undefined) return "";
  const share = shareOf(standing);
  const filled = Math.round((share ?? 0) * BAR_WIDTH);
  const bar = share === undefined ? "" : ` ${"█".repeat(filled)}${"░".repeat(BAR_WIDTH - filled)}`;
  return `${bar} ${describeStanding(standing)}`;
}

/** Of all stages so far, those of earlier runs too. */
function spent(
  { seconds, tokens, money, endpoint }: PricedCost,
  { currency }: { readonly currency: string },
): string[] {
  const about = approximately(endpoint?.estimated ?? 0);
  return [
    `all stages so far: ${formatSeconds(seconds)}`,
    ...(tokens > 0 ? [`${tokens.toLocaleString("en")} tokens`] : []),
    ...(money === undefined ? [] : [`${about}${money.toFixed(4)} ${currency}`]),
  ];
}

/** A line that wrapped would be two, of which one stayed. */
const cut = (line: string, columns: number): string => {
  const characters = Array.from(line);
  return characters.length < columns ? line : `${characters.slice(0, columns - 2).join("")}…`;
};
