import { createIdAssigner } from "../pairs/assign-ids.ts";
import { ownField, type RowFields } from "../pairs/readers/file-row.ts";
import { type Fail, readWholeRows } from "../pairs/readers/whole-rows.ts";
import { readPromptRow } from "./rollout-prompts.ts";
import { readFinish, type Rollout, rolloutId } from "./rollouts.ts";

const HINT =
  'A row is {"prompt": text or [{role, content}], "response": text or "responses": [text], "id"?, "scenario"?, "variant"?, "finish"?, "tokens"?, "group"?, "tags"?}; rows count from 0.';

/**
 * Streams rollouts from rows that another program wrote, of any row format. The scenario is the row's own or its id or a hash of its
 * prompt, the variant its own or `base`, samples are numbered as they come; `finish` is `stop` and `tokens` 0 where the row says
 * nothing. Throws FormatError naming file and row where one is broken or has no response. Memory: a count for each prompt.
 */
export async function* importRollouts(
  path: string,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<Rollout, void, undefined> {
  const samples = new Map<string, { next: number; readonly prompt: string }>();
  for await (const { fields, fail } of readWholeRows(path, { hint: HINT, signal })) {
    // An assigner of its own for each row: rows with one prompt are samples of one scenario.
    const named = readPromptRow(fields, createIdAssigner(), fail);
    const key = JSON.stringify([named.scenario, named.variant]);
    const prompt = JSON.stringify(named.prompt);
    const count = samples.get(key) ?? { next: 0, prompt };
    samples.set(key, count);
    if (count.prompt !== prompt) {
      throw fail("its scenario and variant are those of a row with another prompt");
    }
    for (const response of readResponses(fields, fail)) {
      const sample = count.next++;
      const id = rolloutId(named, sample);
      yield { id, ...named, sample, response, ...readEnd(fields, fail) };
    }
  }
}

function readResponses(fields: RowFields, fail: Fail): readonly string[] {
  const one = ownField(fields, "response");
  const several = ownField(fields, "responses");
  if ((one === undefined) === (several === undefined)) {
    throw fail("expected either response or responses");
  }
  const all: readonly unknown[] = Array.isArray(several) ? several : [one];
  return all.map((response) => {
    if (typeof response === "string") return response;
    throw fail(`${several === undefined ? "response" : "responses"}: expected text`);
  });
}

function readEnd(fields: RowFields, fail: Fail): Pick<Rollout, "finish" | "tokens"> {
  const finish = readFinish(ownField(fields, "finish") ?? "stop", fail);
  const tokens = ownField(fields, "tokens") ?? 0;
  if (typeof tokens === "number" && Number.isSafeInteger(tokens) && tokens >= 0) {
    return { finish, tokens };
  }
  throw fail("tokens: expected a whole number from 0");
}
