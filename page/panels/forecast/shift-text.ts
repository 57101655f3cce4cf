/** @file Shifts in words: with their sign, and what they are measured in. */
import type { PartValues } from "../../../src/report/report-source.ts";
import { interval, score } from "../../format.ts";

type Score = NonNullable<PartValues["forecast"]["score"]>;

export const signed = (value: number): string => `${value > 0 ? "+" : ""}${score(value)}`;

/** A value with its interval, where it has one. */
export const withInterval = (
  { value, low, high }: { value: number; low?: number | undefined; high?: number | undefined },
  show: (value: number) => string,
): string => `${show(value)} ${interval(low, high, show)}`.trim();

export const UNITS = {
  margin: "nats",
  "per-token": "nats a token",
  projection: "projection",
} as const satisfies Record<Score["measure"], string>;

/** A behaviour that was held out, with what one forecast said of it. */
export interface HeldOut {
  readonly name: string;
  readonly predicted: number;
  /** Its 95% interval. */
  readonly low: number;
  readonly high: number;
  readonly observed: Score["behaviors"][number]["observed"];
  /** Whether the observed interval leaves 0 out. */
  readonly moved: boolean;
  readonly isHit: boolean;
}

/** Those that one forecast was scored on, in the order of the score: largest observed shift first. */
export const heldOutBy = ({ behaviors }: Score, by: string): readonly HeldOut[] =>
  behaviors.flatMap(({ name, observed, moved, predicted }) => {
    const found = predicted?.[by];
    if (found === undefined) return [];
    const { value, low, high } = found;
    const isHit = value !== 0 && Math.sign(value) === Math.sign(observed.shift);
    return [{ name, observed, moved, predicted: value, low, high, isHit }];
  });

/** `hit` or `MISS`, and whether there was a sign to hit. */
export const verdictOf = ({ isHit, moved }: HeldOut): string =>
  `${isHit ? "hit" : "MISS"}${moved ? "" : ", 0 within the interval"}`;
