import { z } from "zod";

import { readRows } from "../pairs/readers/read-rows.ts";
import { FormatError } from "../util/errors.ts";
import type { JobOptions } from "../util/progress.ts";

/** What is read back of a pair; see writeMeasured, which has more. */
const rowSchema = z.object({
  id: z.string(),
  claimed: z.boolean(),
  source: z.string().nullable().optional(),
  chosen_drift: z.number(),
  rejected_drift: z.number(),
  ches_normalised: z.number(),
});
export type ReadMeasuredPair = z.output<typeof rowSchema>;

/** Reads the table of measured pairs in its order, the claimed ones first. Throws FormatError where it is none. */
export async function* readMeasured(
  path: string,
  { signal }: Pick<JobOptions, "signal"> = {},
): AsyncGenerator<ReadMeasuredPair> {
  for await (const row of readRows(path, { signal })) {
    const parsed = row.kind === "fields" ? rowSchema.safeParse(row.fields) : undefined;
    if (parsed?.success !== true) {
      throw new FormatError(`${path}: expected measured pairs, got another table`, {
        hint: "culprit audit --measured writes such tables.",
      });
    }
    yield parsed.data;
  }
}
