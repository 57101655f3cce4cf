/** @file How far a job is, and how fast, in the words that progress displays and `culprit status` share. */

/** How far a job is. */
export interface Standing {
  readonly done: number;
  /** Undefined while unknown. */
  readonly total: number | undefined;
  /** Of what, plural; empty where it has no name. */
  readonly unit: string;
  /** Units per second; undefined or 0 while there is none. */
  readonly rate: number | undefined;
}

/** Measures units per second from the first report on: work found finished on resume must not count towards this run's rate. */
export function startRate(nowMs: () => number): (done: number) => number {
  const startMs = nowMs();
  let firstDone: number | undefined;
  return (done) => {
    firstDone ??= done;
    const seconds = (nowMs() - startMs) / 1000;
    return seconds > 0 ? Math.max(0, (done - firstDone) / seconds) : 0;
  };
}

/** The share that is done, 0 to 1; undefined while the total is unknown. */
export const shareOf = ({ done, total }: Pick<Standing, "done" | "total">): number | undefined =>
  total === undefined || total === 0 ? undefined : Math.min(1, done / total);

/** `12/40 pairs (30%), 4.00 pairs/s, 7 s left`. */
export function describeStanding(at: Standing): string {
  const { done, total, unit, rate = 0 } = at;
  const speed = rate > 0 ? `, ${rate >= 100 ? rate.toFixed(0) : rate.toFixed(2)} ${unit}/s` : "";
  const share = shareOf(at);
  if (share === undefined) return `${done} ${unit}${speed}`;
  const left = rate > 0 ? `, ${formatDuration((total! - done) / rate)} left` : ""; // a share has a total
  return `${done}/${total} ${unit} (${(share * 100).toFixed(0)}%)${speed}${left}`;
}

function formatDuration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
