import { z } from "zod";

import { FormatError } from "../util/errors.ts";

const completionSchema = z.strictObject({
  format: z.literal("culprit-vectors-complete"),
  rows: z.int().nonnegative(),
  shards: z.int().nonnegative(),
  unusable: z
    .record(z.string(), z.int().nonnegative())
    .describe("Rows of the pair files without vectors, by reason."),
});

/** The content of `complete.json`, written after the last shard: a store without it was interrupted. */
export type StoreCompletion = Readonly<z.infer<typeof completionSchema>>;

/** Parses the text of `complete.json`; `where` names the file in errors. Throws FormatError. */
export function parseCompletion(text: string, where: string): StoreCompletion {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FormatError(`${where}: expected JSON, got something else`, { cause: error });
  }
  const parsed = completionSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!; // a failed parse has at least one
    throw new FormatError(`${where}: ${issue.path.join(".")}: ${issue.message}`);
  }
  return parsed.data;
}
