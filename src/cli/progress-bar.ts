import type { Progress } from "../util/progress.ts";
import { describeStanding, shareOf, type Standing, startRate } from "../util/standing.ts";

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
  const rateAt = startRate(nowMs);
  let lastMs = isTerminal ? -Infinity : nowMs();
  let last: string | undefined;
  let isLineOpen = false;

  const clear = (): void => {
    if (isLineOpen) stream.write("\r\u001b[2K");
    isLineOpen = false;
  };
  return {
    update(done, total) {
      const now = nowMs();
      last = progressLine(label, { done, total, unit, rate: rateAt(done) }, isTerminal);
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

function progressLine(label: string, at: Standing, isTerminal: boolean): string {
  const share = isTerminal ? shareOf(at) : undefined;
  const filled = Math.round((share ?? 0) * BAR_WIDTH);
  const bar = share === undefined ? "" : ` ${"█".repeat(filled)}${"░".repeat(BAR_WIDTH - filled)}`;
  return `${label}${bar} ${describeStanding(at)}`;
}
