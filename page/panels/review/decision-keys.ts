import type { Decision } from "../../../src/report/report-source.ts";

export type Kind = NonNullable<Decision["decision"]>;

/** Each decision by its key, and what it means. */
export const KEYS: readonly (readonly [key: string, kind: Kind, meaning: string])[] = [
  ["a", "keep", "it is as it should be"],
  ["d", "drop", "nothing should be trained on it"],
  ["s", "swap", "chosen and rejected are the wrong way round"],
  ["f", "unsure", "somebody else should look"],
];
