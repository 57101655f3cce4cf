import { THINKING_MARKS } from "../format/thinking-marks.ts";
import type { TextTokenizer } from "./tokenizer.ts";

/** The text of a response's ids. */
export type ResponseDecoder = (ids: Int32Array) => string;

/**
 * Decodes what a model said: without special tokens and without ids that are not in use. Marks of thinking stay also where they are
 * special tokens: without them a thought and its answer are one text.
 */
export function createResponseDecoder(tokenizer: TextTokenizer): ResponseDecoder {
  const marks = new Set(specialMarks(tokenizer));
  const isSpecial = new Map<number, boolean>();
  const isDropped = (id: number): boolean => {
    if (marks.has(id)) return false;
    const known = isSpecial.get(id) ?? isSpecialToken(tokenizer, id);
    isSpecial.set(id, known);
    return known;
  };
  return (ids) =>
    ids.some((id) => marks.has(id))
      ? tokenizer.decode(
          ids.filter((id) => !isDropped(id)),
          { skipUnknown: true },
        )
      : tokenizer.decode(ids, { skipSpecialTokens: true, skipUnknown: true });
}

/** Whether an id is left out where special tokens are. */
export function isSpecialToken(tokenizer: TextTokenizer, id: number): boolean {
  const options = { skipUnknown: true };
  return (
    tokenizer.decode([id], { ...options, skipSpecialTokens: true }) === "" &&
    tokenizer.decode([id], options) !== ""
  );
}

function specialMarks(tokenizer: TextTokenizer): readonly number[] {
  const texts = THINKING_MARKS.flatMap(({ open, close }) => [open, close]);
  return tokenizer
    .encodeBatch(texts)
    .flatMap((ids) => (ids.length === 1 ? [...ids] : []))
    .filter((id) => isSpecialToken(tokenizer, id));
}
