/** A corrected rate with its 95% interval; all undefined where it cannot be had, and `why` says why. */
export interface CorrectedRate {
  readonly rate: number | undefined;
  readonly low: number | undefined;
  readonly high: number | undefined;
  readonly why: string | undefined;
}
