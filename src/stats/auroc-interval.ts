/** @file An interval of the area under the ROC curve that holds near 1, where those by DeLong's variance and the bootstrap do not. */
import { jointTail, normalQuantile, upperTail } from "./normal.ts";
import { bisect } from "./root.ts";

/** The 97.5% quantile of the standard normal. */
const Z = 1.959963984540054;
/** Beyond it the area is 1 to ten digits. */
const MAX_H = 6.4;
/** Placements that weigh as much as the guess that both sides are spread alike. */
const PRIOR_PLACEMENTS = 4;

/**
 * The 95% score interval of an area: all true areas from which the found one lies less than 1.96 standard deviations away, those of the true
 * area and not of the found one (Wilson's idea; Newcombe 2006 for areas). They are those of two normals (binormal model) whose ratio of
 * spreads is read from `placements`: of each positive, the share of the negatives below it, equal ones half, [m]. Scores enter by their
 * order alone. One of one above one of one, 1 found: [0.21, 1].
 */
export function aurocInterval(
  placements: ArrayLike<number>,
  negatives: number,
): { readonly low: number; readonly high: number } {
  const positives = placements.length;
  const area = Array.from(placements).reduce((sum, each) => sum + each, 0) / positives;
  const ratio = spreadRatio(placements, negatives);
  const isWithin = (h: number): boolean =>
    (1 - upperTail(h) - area) ** 2 <= Z * Z * variance(h, ratio, positives, negatives);
  const found = Math.min(
    MAX_H,
    Math.max(-MAX_H, area > 0 && area < 1 ? normalQuantile(area) : area === 1 ? MAX_H : -MAX_H),
  );
  return {
    low: area === 0 ? 0 : 1 - upperTail(bisect(isWithin, found, -MAX_H, 40)[0]),
    high: area === 1 ? 1 : 1 - upperTail(bisect(isWithin, found, MAX_H, 40)[0]),
  };
}

/** Of the found area where the true one is Φ(h) and positives are spread `ratio` times as far as negatives (Hanley and McNeil 1982, their form). */
function variance(h: number, ratio: number, positives: number, negatives: number): number {
  const p = upperTail(h);
  const shared = 1 / (1 + ratio * ratio);
  const bySharedNegative = jointTail(h, shared) - p * p;
  const bySharedPositive = jointTail(h, 1 - shared) - p * p;
  const sum = p * (1 - p) + (positives - 1) * bySharedNegative + (negatives - 1) * bySharedPositive;
  return sum / (positives * negatives);
}

/** The slope of the positives' placements against their own order, both as normal quantiles; drawn to 1 where few lie among the negatives. */
function spreadRatio(placements: ArrayLike<number>, negatives: number): number {
  const ascending = Float64Array.from(placements).toSorted();
  const points = Array.from(ascending, (share, i) => ({
    share,
    x: normalQuantile((i + 0.5) / ascending.length),
    y: normalQuantile((share * negatives + 0.5) / (negatives + 1)),
  })).filter(({ share }) => share > 0 && share < 1);
  if (points.length < 3) return 1;
  const mean = (key: "x" | "y"): number =>
    points.reduce((sum, point) => sum + point[key], 0) / points.length;
  const [x, y] = [mean("x"), mean("y")];
  const cross = points.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0);
  const square = points.reduce((sum, point) => sum + (point.x - x) ** 2, 0);
  const slope = Math.min(8, Math.max(1 / 8, cross / square));
  return Math.exp((Math.log(slope) * points.length) / (points.length + PRIOR_PLACEMENTS));
}
