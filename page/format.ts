/** @file How numbers, shares, times and sizes are written; colours are in charts/palette.ts. */

export const percent = (share: number | undefined, digits = 1): string =>
  share === undefined ? "–" : `${(100 * share).toFixed(digits)}%`;

/** A change in percentage points, with its sign. */
export const points = (difference: number): string =>
  `${difference >= 0 ? "+" : "−"}${Math.abs(100 * difference).toFixed(1)}`;

export const number = (value: number | undefined, digits = 3): string =>
  value === undefined ? "–" : value.toFixed(digits).replace("-", "−");

/** A score of any size, four digits; whole numbers as they are. */
export function score(value: number | undefined): string {
  if (value === undefined) return "–";
  const text = Number.isInteger(value) ? String(value) : value.toPrecision(4);
  return text.replaceAll("-", "−");
}

export const count = (value: number | undefined): string =>
  value === undefined ? "–" : value.toLocaleString("en");

export function duration(seconds: number): string {
  if (seconds < 90) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  if (seconds < 5400) return `${(seconds / 60).toFixed(1)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** Large amounts by their power of ten: 1.2 × 10¹². */
export function amount(value: number): string {
  if (value < 1e6) return count(Math.round(value));
  const power = Math.floor(Math.log10(value));
  const digits = String(power).replaceAll(/\d/g, (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]!);
  return `${(value / 10 ** power).toFixed(1)} × 10${digits}`;
}

export const pValue = (p: number): string => (p < 0.001 ? "p < 0.001" : `p ${p.toFixed(3)}`);

/** `[low, high]`, empty where either is not known. */
export function interval(
  low: number | undefined,
  high: number | undefined,
  show: (value: number) => string,
): string {
  return low === undefined || high === undefined ? "" : `[${show(low)}, ${show(high)}]`;
}
