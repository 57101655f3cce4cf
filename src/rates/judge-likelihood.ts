/** @file How well a rate fits a judge's verdicts, whatever its sensitivity and false alarms: the signed root of a profile likelihood. */

/** Independent rollouts by what was found: two binomial samples of labelled rollouts and one of unlabelled. */
export interface JudgeCounts {
  /** Labelled rollouts that show it, and those of them that the judge called. */
  readonly positives: number;
  readonly hits: number;
  /** Labelled rollouts that do not show it, and those of them that the judge called. */
  readonly negatives: number;
  readonly alarms: number;
  readonly unlabelled: number;
  /** Unlabelled rollouts that the judge called. */
  readonly calls: number;
}

/** The likeliest judge for a rate. */
export interface FittedJudge {
  readonly sensitivity: number;
  readonly falseAlarms: number;
  /** How often it then calls. */
  readonly calls: number;
  /** The root of twice the log-likelihood lost; above 0 where more was called than the rate explains. About standard normal. */
  readonly root: number;
}

/** No false alarm among few labels is weaker evidence than its likelihood: a normal root of it would be too large. By simulation (bench/corrected-rate-coverage.ts). */
const UNSEEN_ALARMS = 0.1;

/**
 * The likeliest sensitivity and rate of false alarms where `rate` of the rollouts show it, so that the share of calls is
 * (1 - rate) · falseAlarms + rate · sensitivity. Sensitivity is free where no labelled rollout shows it, so are false alarms where all do.
 */
export function fitJudge(counts: JudgeCounts, rate: number): FittedJudge {
  const { positives, hits, negatives, unlabelled, calls } = counts;
  const alarms = counts.alarms === 0 && negatives > 0 ? UNSEEN_ALARMS : counts.alarms;
  const at = (multiplier: number): FittedJudge => ({
    sensitivity: tilted(hits, positives, multiplier * rate),
    falseAlarms: tilted(alarms, negatives, multiplier * (1 - rate)),
    calls: tilted(calls, unlabelled, -multiplier),
    root: 0,
  });
  const excess = (multiplier: number): number => {
    const fit = at(multiplier);
    return fit.calls - (1 - rate) * fit.falseAlarms - rate * fit.sensitivity;
  };
  const multiplier = increasingRoot(excess, positives + negatives + unlabelled);
  const fit = at(multiplier);
  const lost =
    deviance(hits, positives, fit.sensitivity) +
    deviance(alarms, negatives, fit.falseAlarms) +
    deviance(calls, unlabelled, fit.calls);
  return { ...fit, root: -Math.sign(multiplier) * Math.sqrt(Math.max(0, lost)) };
}

/** The share x with count / x - (of - count) / (1 - x) = slope: the likeliest where the likelihood is tilted. */
function tilted(count: number, of: number, slope: number): number {
  if (slope === 0) return of === 0 ? 0.5 : count / of;
  const sum = of + slope;
  const root = Math.sqrt(Math.max(0, sum * sum - 4 * slope * count));
  const share = sum > 0 ? (2 * count) / (sum + root) : (sum - root) / (2 * slope);
  return Math.max(0, Math.min(1, share));
}

/** Where an increasing function is 0, or passes it in a jump; `scale` is how far off to look first. */
function increasingRoot(f: (x: number) => number, scale: number): number {
  const middle = f(0);
  if (Math.abs(middle) < 1e-13) return 0;
  const sign = middle > 0 ? -1 : 1;
  let [near, far] = [0, sign * scale * 1e-3];
  while (f(far) * sign < 0 && Math.abs(far) < 1e12) [near, far] = [far, far * 4];
  for (let step = 0; step < 60 && Math.abs(far - near) > 1e-10 * Math.abs(far); step++) {
    const x = (near + far) / 2;
    if (f(x) * sign < 0) near = x;
    else far = x;
  }
  return (near + far) / 2;
}

/** Twice the log-likelihood that `share` loses to the share observed. */
function deviance(count: number, of: number, share: number): number {
  const part = (seen: number, expected: number): number =>
    seen === 0 ? 0 : 2 * seen * Math.log(seen / of / expected);
  return part(count, share) + part(of - count, 1 - share);
}
