import { parseArgs } from "node:util";

import { ConfigError } from "../../src/util/errors.ts";

/** What a recipe is called with. */
export interface MakeArguments {
  /** Folder of the organism. */
  readonly out: string;
  /** Writes the data, the tokenizer and the training texts, and trains nothing. */
  readonly dataOnly: boolean;
  /** Which world: 0 is the shipped one; every other number invents other things, requests, pairs and scenarios. */
  readonly seed: number;
}

/** Streams of one world have numbers below this; those of the next begin here. */
export const STREAMS_PER_WORLD = 1000;

/** Reads --out DIR, --data-only and --seed N. Throws ConfigError where --out is missing or the seed is no whole number from 0. */
export function readMakeArguments(): MakeArguments {
  const { values } = parseArgs({
    options: {
      out: { type: "string" },
      "data-only": { type: "boolean" },
      seed: { type: "string", default: "0" },
    },
  });
  if (values.out === undefined) throw new ConfigError("--out: expected a folder, got nothing");
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new ConfigError(`--seed: expected a whole number from 0, got "${values.seed}"`);
  }
  return { out: values.out, dataOnly: values["data-only"] === true, seed };
}
