import { parseArgs } from "node:util";

import { ConfigError } from "../../src/util/errors.ts";

/** What a recipe is called with. */
export interface MakeArguments {
  /** Folder of the organism. */
  readonly out: string;
  /** Writes the data, the tokenizer and the training texts, and trains nothing. */
  readonly dataOnly: boolean;
}

/** Reads --out DIR and --data-only. Throws ConfigError where --out is missing. */
export function readMakeArguments(): MakeArguments {
  const { values } = parseArgs({
    options: { out: { type: "string" }, "data-only": { type: "boolean" } },
  });
  if (values.out === undefined) throw new ConfigError("--out: expected a folder, got nothing");
  return { out: values.out, dataOnly: values["data-only"] === true };
}
