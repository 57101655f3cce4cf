import type { PreferencePair } from "../pairs/preference-pair.ts";
import { ConfigError } from "../util/errors.ts";
import type { JobOptions } from "../util/progress.ts";
import type { MethodTask } from "./method.ts";

/** The text of every row, each once, in the order of the files. Throws ConfigError at the end where that of some row is missing. */
export async function* readText(
  { rows, pairs }: Pick<MethodTask<"pairs">, "rows" | "pairs">,
  { signal, progress }: JobOptions,
): AsyncGenerator<{ readonly row: number; readonly pair: PreferencePair }> {
  const rowOf = new Map(rows.ids.map((id, row) => [id, row]));
  const total = rows.ids.length;
  let done = 0;
  for await (const pair of pairs.read({ signal })) {
    const row = pair.kind === "pair" ? rowOf.get(pair.id) : undefined;
    if (pair.kind !== "pair" || row === undefined) continue;
    yield { row, pair };
    done++;
    progress?.update(done, total);
  }
  if (done === total) return;
  throw new ConfigError(`pairs: expected the text of ${total} pairs, got that of ${done}`, {
    hint: "Name the files that were embedded.",
  });
}
