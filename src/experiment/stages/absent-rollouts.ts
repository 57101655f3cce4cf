import { existsSync } from "node:fs";
import { join } from "node:path";

import { readVerdicts, type Verdict } from "../../judge/verdict.ts";

/** Samples that an endpoint did not give, as missing verdicts; only where a checkpoint is sampled from an endpoint. */
export const ABSENT_NAME = "absent.jsonl";

/** The verdicts of a judge, and after them one for each sample that is not there: it must not look as if nothing had been asked. */
export async function* withAbsent(
  verdicts: AsyncIterable<Verdict>,
  rolloutsFolder: string,
): AsyncGenerator<Verdict> {
  yield* verdicts;
  const path = join(rolloutsFolder, ABSENT_NAME);
  if (existsSync(path)) yield* await readVerdicts(path);
}
