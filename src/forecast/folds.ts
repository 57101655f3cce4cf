/** @file Which behaviours are held out of the calibration of which. */
import { ConfigError } from "../util/errors.ts";
import type { Rng } from "../util/rng.ts";
import type { HOLDOUTS } from "./forecast-file.ts";

/** Calibrating behaviours, at the least: fewer give a line through anything. */
export const MIN_CALIBRATING = 5;

/** One behaviour that is held out, and those that calibrate its forecast. */
export interface Fold {
  readonly asked: number;
  readonly known: readonly number[];
  /** Families of the known ones, where whole families are held out. */
  readonly families?: readonly string[] | undefined;
}

/** The word that a behaviour's name begins with. */
const familyOf = (name: string): string => name.split("-", 1)[0]!;

/** What is held out, and what calibrates it. Throws ConfigError where that is too little. */
export function drawFolds(
  names: readonly string[],
  holdout: (typeof HOLDOUTS)[number],
  rng: Rng,
): readonly Fold[] {
  const folds = foldsOf(names, holdout, rng);
  if (holdout === "given" && folds.length > 0) return folds;
  const fewest = Math.min(...folds.map(({ known }) => known.length));
  if (holdout !== "given" && folds.length > 0 && fewest >= MIN_CALIBRATING) return folds;
  const got = folds.length === 0 ? 0 : fewest;
  throw new ConfigError(
    holdout === "given"
      ? "score: expected behaviours with a forecast and an observed shift, got none"
      : `score: expected ${MIN_CALIBRATING} behaviours to calibrate by, got ${got} (of ${names.length} with a forecast and an observed shift, holdout ${holdout})`,
    {
      hint: "Give more behaviours, or forecast anew from the stores with --calibrate, the scored forecast of other pairs.",
    },
  );
}

function foldsOf(
  names: readonly string[],
  holdout: (typeof HOLDOUTS)[number],
  rng: Rng,
): readonly Fold[] {
  const all = names.map((_, i) => i);
  switch (holdout) {
    case "given":
      return names.map((_, asked) => ({ asked, known: [] }));
    case "leave-one-out":
      return names.map((_, asked) => ({ asked, known: all.filter((other) => other !== asked) }));
    case "leave-family-out":
      return names.map((name, asked) => {
        const known = all.filter((other) => familyOf(names[other]!) !== familyOf(name));
        return { asked, known, families: known.map((other) => familyOf(names[other]!)) };
      });
    case "split": {
      const order = rng.shuffle(all);
      const known = order.slice(0, Math.ceil(names.length / 2));
      return order.slice(known.length).map((asked) => ({ asked, known }));
    }
  }
}
