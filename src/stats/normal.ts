/** @file The standard normal, alone and in pairs. */

/** Panels of Simpson's rule; the integrand is smooth, 1e-9 relative up to 6 standard deviations. */
const PANELS = 64;

/**
 * P(X > h and Y > h) of two standard normals with a correlation in [0, 1]; at 1 the tail of one. Craig's integral with its end moved
 * (Simon and Divsalar 1998): 1/π ∫ exp(−h²/(2 sin²φ)) dφ from 0 to arctan √((1 + ρ)/(1 − ρ)). Uncorrelated at h = 0: 1/4.
 */
export function jointTail(h: number, correlation: number): number {
  if (h < 0) return 1 - 2 * jointTail(-h, 1) + jointTail(-h, correlation);
  const end =
    correlation === 1 ? Math.PI / 2 : Math.atan(Math.sqrt((1 + correlation) / (1 - correlation)));
  let sum = 0;
  for (let i = 1; i <= PANELS; i++) {
    const sine = Math.sin((end * i) / PANELS);
    sum += Math.exp(-(h * h) / (2 * sine * sine)) * (i === PANELS ? 1 : 2 + 2 * (i % 2));
  }
  // The integrand vanishes at 0, but for h = 0 where it is 1 throughout.
  if (h === 0) sum += 1;
  return (sum * end) / PANELS / 3 / Math.PI;
}

/** P(X > h). */
export const upperTail = (h: number): number => (h < 0 ? 1 - jointTail(-h, 1) : jointTail(h, 1));

const TAIL_CUT = 0.02425;

/** The `p`-quantile, p in (0, 1); Acklam's rational approximation, 1.2e-9 relative. */
export function normalQuantile(p: number): number {
  if (p > 0.5) return -normalQuantile(1 - p);
  if (p < TAIL_CUT) {
    const q = Math.sqrt(-2 * Math.log(p));
    return polynomial(q, TAIL_TOP) / (polynomial(q, TAIL_BOTTOM) * q + 1);
  }
  const q = p - 0.5;
  const r = q * q;
  return (polynomial(r, CENTRE_TOP) * q) / (polynomial(r, CENTRE_BOTTOM) * r + 1);
}

/** Coefficients from the highest power down. */
const polynomial = (x: number, coefficients: readonly number[]): number =>
  coefficients.reduce((sum, each) => sum * x + each, 0);

const CENTRE_TOP = [
  -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716,
  2.506628277459239,
];
const CENTRE_BOTTOM = [
  -54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572,
];
const TAIL_TOP = [
  -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734,
  4.374664141464968, 2.938163982698783,
];
const TAIL_BOTTOM = [
  0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416,
];
