import { readFinishReason } from "../endpoint/finish-reason.ts";
import { createIdAssigner } from "../pairs/assign-ids.ts";
import { ownField, type RowFields } from "../pairs/readers/file-row.ts";
import { type Fail, readWholeRows } from "../pairs/readers/whole-rows.ts";
import { kindOf } from "../pairs/shapes/kind-of.ts";
import { readPromptRow } from "./rollout-prompts.ts";
import { type Rollout, rolloutId } from "./rollouts.ts";

const HINT =
  'A row is {"prompt": text or [{role, content}], "response": text or "responses": [text], "id"?, "scenario"?, "variant"?, "finish"?, "tokens"?, "group"?, "tags"?}; rows count from 0.';

/** Why a row, or one of its responses, is no rollout. */
export type LeftOut = "no response" | "answer filtered" | "answer broken off";

/**
 * Streams rollouts from rows that another program wrote, of any row format. The scenario is the row's own or its id or a hash of its
 * prompt, the variant its own or `base`, samples are numbered as they come. `finish` is read as an endpoint's word for it and is
 * `unknown` where the row says nothing; `tokens` are absent then. Responses that are null, and answers that were kept back or broken
 * off, are left out and told to `onLeftOut`. Throws FormatError naming file and row where one is broken. Memory: a count for each prompt.
 */
export async function* importRollouts(
  path: string,
  {
    signal,
    onLeftOut,
  }: {
    readonly signal?: AbortSignal | undefined;
    readonly onLeftOut?: ((why: LeftOut) => void) | undefined;
  } = {},
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
    const end = readEnd(fields, fail);
    for (const response of readResponses(fields, fail)) {
      if (response === null || typeof end === "string") {
        onLeftOut?.(typeof end === "string" ? end : "no response");
        continue;
      }
      const sample = count.next++;
      yield { id: rolloutId(named, sample), ...named, sample, response, ...end };
    }
  }
}

function readResponses(fields: RowFields, fail: Fail): readonly (string | null)[] {
  const one = ownField(fields, "response");
  const several = ownField(fields, "responses");
  const isOne = several === undefined || (several === null && one !== undefined);
  if (one === undefined && isOne) throw fail("expected either response or responses, got neither");
  if (!isOne && one !== undefined && one !== null) {
    throw fail("expected either response or responses, got both");
  }
  const all: readonly unknown[] = isOne ? [one] : Array.isArray(several) ? several : [several];
  return all.map((response) => {
    if (typeof response === "string" || response === null) return response;
    throw fail(`${isOne ? "response" : "responses"}: expected text, got ${kindOf(response)}`);
  });
}

/** How it ended, or why it is no response. */
function readEnd(fields: RowFields, fail: Fail): Pick<Rollout, "finish" | "tokens"> | LeftOut {
  const said = ownField(fields, "finish") ?? undefined;
  if (said !== undefined && typeof said !== "string") {
    throw fail(`finish: expected text, got ${kindOf(said)}`);
  }
  const finish = readFinishReason(said);
  if (finish === "filtered") return "answer filtered";
  if (finish === "broken") return "answer broken off";
  const tokens = ownField(fields, "tokens") ?? undefined;
  const isCount = typeof tokens === "number" && Number.isSafeInteger(tokens) && tokens >= 0;
  if (tokens === undefined || isCount) return { finish, tokens };
  throw fail(`tokens: expected a whole number from 0, got ${kindOf(tokens)}`);
}
