/** @file How figures are written in tables: shares, differences of shares, p-values, intervals. */

/** A share in percent with one decimal; undefined is a dash. */
export function percent(share: number | undefined): string {
  return share === undefined ? "-" : `${(100 * share).toFixed(1)}%`;
}

/** A share in whole percent; undefined, a bound that is not there, is minus infinity. */
export function wholePercent(share: number | undefined): string {
  return share === undefined ? "-∞" : `${Math.round(100 * share)}%`;
}

/** A difference of shares in percentage points, always with a sign. */
export function points(difference: number): string {
  const text = (100 * difference).toFixed(1);
  return difference < 0 ? text : `+${text}`;
}

/** A p-value with so many decimals; a smaller one is `<0.001`. */
export function pValue(p: number, decimals: number): string {
  const smallest = 10 ** -decimals;
  return p < smallest ? `<${smallest.toFixed(decimals)}` : p.toFixed(decimals);
}

/** An interval, which some estimates do not have. */
export interface Interval {
  readonly low?: number | undefined;
  readonly high?: number | undefined;
}

/** `value [low, high]`; without an interval where there is none. */
export function withInterval(
  value: number,
  { low, high }: Interval,
  show: (value: number) => string,
): string {
  return low === undefined || high === undefined
    ? show(value)
    : `${show(value)} [${show(low)}, ${show(high)}]`;
}

/** A rate in percent with its interval. */
export function formatRate({
  rate,
  ...interval
}: Interval & { readonly rate?: number | undefined }): string {
  return rate === undefined ? "nothing judged" : withInterval(rate, interval, percent);
}

/** A share or the like to three decimals, with its interval. */
export const formatEstimate = (found: Interval & { readonly value: number }): string =>
  withInterval(found.value, found, fixed(3));

/** A figure to so many decimals. */
export const fixed =
  (decimals: number) =>
  (value: number): string =>
    value.toFixed(decimals);

/** How many prompts, and of how many scenarios where several ask one request. */
export function countPrompts(scenarios: number, prompts: number): string {
  return scenarios === prompts
    ? `${prompts} prompts`
    : `${scenarios} scenarios of ${prompts} requests`;
}

/** An amount of money without its currency; small ones to four decimals. */
export function moneyAmount(amount: number): string {
  return amount.toFixed(amount < 1 ? 4 : 2);
}

/** What stands before a figure of which so many parts are estimated. */
export const approximately = (estimated: number): string => (estimated > 0 ? "≈" : "");

/** Three digits that count, `1.23e-4` where it is small or large. */
export function number(value: number): string {
  return Math.abs(value) >= 1000 || (value !== 0 && Math.abs(value) < 1e-3)
    ? value.toExponential(2)
    : value.toPrecision(3);
}

/** `+0.123`. */
export function signed(value: number): string {
  return `${value >= 0 ? "+" : ""}${value.toFixed(3)}`;
}

/** A time for people: `0.4 s`, `75 s`, `1.6 min`, `3.2 h`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${(seconds / 60).toFixed(1)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
