import { RuntimeError } from "../util/errors.ts";
import type { AskingOptions } from "./llm-judge-options.ts";

/** The causes that stand in verdicts, in words that say what the answers were. */
const WORDS: Readonly<Record<string, string>> = {
  "judge's answer unreadable": "no JSON object and nothing else",
  "judge's answer empty": "empty",
  "judge's answer cut off": "cut off at maxTokens",
  "judge's answer without a score": "JSON without a score",
  "judge's score off the scale": "a score off the rubric's scale",
  "judge's answer without a label of the rubric": "JSON without a label of the rubric",
};

/** The error that ends a run whose last answers cannot be read: `unreadable` has the cause of each. */
export function unreadableJudge(
  { rubric, asker, store }: Pick<AskingOptions, "rubric" | "asker" | "store">,
  books: { readonly unreadable: readonly string[]; readonly hasReadable: boolean },
): RuntimeError {
  const { unreadable, hasReadable } = books;
  const counts = new Map<string, number>();
  for (const cause of unreadable) counts.set(cause, (counts.get(cause) ?? 0) + 1);
  const causes = [...counts].toSorted((a, b) => b[1] - a[1]);
  const list = causes.map(([cause, count]) => `${count} ${WORDS[cause] ?? cause}`).join("; ");
  const model = JSON.stringify(asker.endpoint.model.slice(0, 100));
  const isShort = counts.has("judge's answer cut off") || counts.has("judge's answer empty");
  const advice = isShort
    ? "A judge that thinks needs a rubric with more maxTokens"
    : "Read some: a judge that thinks needs a rubric with more maxTokens";
  return new RuntimeError(
    `judge ${rubric.name}, model ${model}: expected answers by the rubric, got none in ${hasReadable ? "the last " : ""}${unreadable.length}: ${list}`,
    {
      hint: `All answers are kept, in ${store.path}. ${advice}; else take another model. The same command asks only what has too few answers, --force (--force-stage in an experiment) also asks these again.`,
    },
  );
}
