import type { Progress } from "../util/progress.ts";

const BAR_WIDTH = 24;
/** Often enough to look alive, rare enough to cost nothing. */
const TERMINAL_INTERVAL_MS = 100;
/** A log file wants a line now and then, not a flood. */
const PLAIN_INTERVAL_MS = 10_000;

/** A bar with rate and time left on a terminal, a plain line every ten seconds elsewhere. */
export function createProgressBar(options: {
  label: string;
  unit: string;
  stream: { write(text: string): unknown; isTTY?: boolean | undefined };
  nowMs: () => number;
}): Progress {
  const { label, unit, stream, nowMs } = options;
  const isTerminal = stream.isTTY === true;
  const startMs = nowMs();
  let firstDone: number | undefined;
  let lastMs = isTerminal ? -Infinity : startMs;
  let last: string | undefined;
  let isLineOpen = false;

  const clear = (): void => {
    if (isLineOpen) stream.write("\r\u001b[2K");
    isLineOpen = false;
  };
  return {
    update(done, total) {
      // Work found finished on resume must not count towards this run's rate.
      firstDone ??= done;
      const now = nowMs();
      const seconds = (now - startMs) / 1000;
      const rate = seconds > 0 ? (done - firstDone) / seconds : 0;
      last = progressLine({ label, unit, done, total, rate, isTerminal });
      if (now - lastMs < (isTerminal ? TERMINAL_INTERVAL_MS : PLAIN_INTERVAL_MS)) return;
      lastMs = now;
      if (isTerminal) {
        stream.write(`\r\u001b[2K${last}`);
        isLineOpen = true;
      } else {
        stream.write(`${last}\n`);
        last = undefined;
      }
    },
    note(line) {
      clear();
      stream.write(`${line}\n`);
    },
    end() {
      clear();
      if (last !== undefined) stream.write(`${last}\n`);
      last = undefined;
    },
  };
}

function progressLine(at: {
  label: string;
  unit: string;
  done: number;
  total: number | undefined;
  rate: number;
  isTerminal: boolean;
}): string {
  // One update is no rate yet.
  const rate =
    at.rate > 0 ? `, ${at.rate >= 100 ? at.rate.toFixed(0) : at.rate.toFixed(2)} ${at.unit}/s` : "";
  if (at.total === undefined || at.total === 0) return `${at.label} ${at.done} ${at.unit}${rate}`;
  const share = Math.min(1, at.done / at.total);
  const left = at.rate > 0 ? `, ${formatDuration((at.total - at.done) / at.rate)} left` : "";
  const filled = Math.round(share * BAR_WIDTH);
  const bar = at.isTerminal ? ` ${"█".repeat(filled)}${"░".repeat(BAR_WIDTH - filled)}` : "";
  return `${at.label}${bar} ${at.done}/${at.total} ${at.unit} (${(share * 100).toFixed(0)}%)${rate}${left}`;
}

function formatDuration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
