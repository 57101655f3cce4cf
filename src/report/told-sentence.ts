import type { ArmRate } from "../rates/evaluation.ts";
import type { Correlation } from "../stats/spearman.ts";

/** A figure in a sentence, and what it tells when somebody points at it or goes to it by key: its interval and n. */
export interface ToldFigure {
  /** As the sentence has it. */
  readonly text: string;
  readonly tells: string;
}

/** A sentence with its figures, in the order in which they stand in it. */
export interface ToldSentence {
  readonly sentence: string;
  readonly figures: readonly ToldFigure[];
}

/** Puts a sentence together of texts, figures and other sentences: a tag of a template. */
export function told(
  texts: TemplateStringsArray,
  ...parts: readonly (string | number | ToldFigure | ToldSentence)[]
): ToldSentence {
  const figures: ToldFigure[] = [];
  let sentence = texts[0]!;
  for (const [i, part] of parts.entries()) {
    if (typeof part === "object") figures.push(...("tells" in part ? [part] : part.figures));
    const text =
      typeof part !== "object" ? String(part) : "tells" in part ? part.text : part.sentence;
    sentence += text + texts[i + 1]!;
  }
  return { sentence, figures };
}

/** A sentence that was put together elsewhere: every figure with an interval, like "0.61 [0.50, 0.70]", tells it; `n` says what they are of. */
export function tellIntervals(sentence: string, n: string): ToldSentence {
  const found = sentence.matchAll(/[-−+]?[\d.]+%? (\[[^\][]+\])/g);
  return {
    sentence,
    figures: Array.from(found, ([text, around]) => ({ text, tells: `95% ${around}, ${n}` })),
  };
}

/** A number that is no count, nor a bar that was set ("below 0.5"); with the interval behind it, where there is one. */
const NUMBER =
  /(?<!below |under )(?:\bp (?:[<=] )?[\d.]*\d|(?<![\d.])[-−+]?\d[\d,]*(?:\.\d+%?|%))(?![\d.]*\.\d)(?: \[[^\][]+\])?/g;

/** A sentence that was put together elsewhere: every number of it that is no count tells `tells`, and one with an interval that, and `n`. */
export function tellNumbers(sentence: string, tells: string, n = tells): ToldSentence {
  const figures = Array.from(sentence.matchAll(NUMBER), ([text]) => {
    const around = /\[.*\]/.exec(text)?.[0];
    return { text, tells: around === undefined ? tells : `95% ${around}, ${n}` };
  });
  return { sentence, figures };
}

/** Why a behaviour's vector is not stable, or why a layer was taken: figures of so many prompts. */
export const tellReason = (reason: string, prompts: number): ToldSentence =>
  tellNumbers(
    reason,
    `n ${prompts.toLocaleString("en")} prompts; the page Behaviour has the interval, where there is one`,
  );

/** What a rank correlation tells. */
export const tellCorrelation = ({ low, high, n }: Correlation): string =>
  `95% [${low.toFixed(2)}, ${high.toFixed(2)}], n ${n.toLocaleString("en")} pairs`;

/** What the rate of an arm tells: its interval, and what it is of. */
export function tellRate({ rate, low, high, judged, prompts, seeds }: ArmRate["rate"]): string {
  const of = `n ${judged.toLocaleString("en")} judged responses to ${prompts} prompts, ${seeds === 1 ? "one training seed" : `${seeds} training seeds`}`;
  if (rate === undefined) return of;
  const figure = (share: number): string => `${(100 * share).toFixed(1)}%`;
  const around =
    low === undefined || high === undefined
      ? "no interval"
      : `95% [${figure(low)}, ${figure(high)}]`;
  return `${around}, ${of}`;
}
