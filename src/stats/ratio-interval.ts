import { bisect } from "./root.ts";

/** The 95% point of chi-squared with one degree of freedom. */
const CHI_SQUARED = 3.841458820694124;

/**
 * The 95% score interval of the ratio of two independent proportions, (a.count / a.of) / (b.count / b.of), after Koopman (1984).
 * It is defined at counts of zero, where the logarithm's usual interval is not: 0 successes in `a` give a lower bound of 0, in `b`
 * an upper bound of Infinity. Undefined where a side is empty or no side has a success.
 */
export function ratioInterval(
  a: { readonly count: number; readonly of: number },
  b: { readonly count: number; readonly of: number },
): { readonly low: number; readonly high: number } | undefined {
  if (a.of === 0 || b.of === 0 || a.count + b.count === 0) return undefined;
  const isInside = (logRatio: number): boolean => scoreStatistic(a, b, logRatio) <= CHI_SQUARED;
  const estimate = a.count / a.of / (b.count / b.of);
  // At a count of zero the estimate lies at the end of the range; the statistic falls monotonically towards it.
  const centre = estimate === 0 ? -MAX_LOG : estimate === Infinity ? MAX_LOG : Math.log(estimate);
  return {
    low: a.count === 0 ? 0 : Math.exp(boundary(isInside, centre, -MAX_LOG)),
    high: b.count === 0 ? Infinity : Math.exp(boundary(isInside, centre, MAX_LOG)),
  };
}

/** Ratios beyond e^±60 are no longer told from 0 and Infinity. */
const MAX_LOG = 60;

/** Squared distance of the data from a ratio in standard errors, the proportions fitted under that ratio. */
function scoreStatistic(
  a: { count: number; of: number },
  b: { count: number; of: number },
  logRatio: number,
): number {
  const ratio = Math.exp(logRatio);
  // Maximum likelihood under pa = ratio * pb: the smaller root of A pb² + B pb + C.
  const quadratic = (a.of + b.of) * ratio;
  const linear = -(a.of * ratio + a.count + b.of + b.count * ratio);
  const constant = a.count + b.count;
  const root = Math.sqrt(Math.max(0, linear * linear - 4 * quadratic * constant));
  // 2C / (-B + root) is that root without the cancellation of -B - root.
  const pb = Math.min(1, (2 * constant) / (-linear + root));
  const pa = Math.min(1, ratio * pb);
  const variance = (pa * (1 - pa)) / a.of + (ratio * ratio * pb * (1 - pb)) / b.of;
  const difference = a.count / a.of - ratio * (b.count / b.of);
  return difference === 0 ? 0 : (difference * difference) / variance;
}

/** The point between `inside` and `outside` where the test turns. */
function boundary(isInside: (value: number) => boolean, inside: number, outside: number): number {
  return isInside(outside) ? outside : bisect(isInside, inside, outside, 100)[0];
}
