/** What a cluster's responses say more, or less, after training. */
export interface ClusterTerms {
  /** Most set apart first. */
  readonly more: readonly string[];
  readonly less: readonly string[];
}

/** The responses of one cluster. */
export interface ClusterTexts {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** Of a term in one class. */
type Weights = ReadonlyMap<string, number>;

const WORD = /[\p{L}\p{N}]+(?:['’][\p{L}]+)*/gu;
/** A term that fewer responses of a cluster hold on the side where it is frequent says little of the cluster. */
const MIN_RESPONSES = 2;

/**
 * Terms (words and pairs of neighbouring words, in lower case) that set each cluster's responses after training apart from those before, by
 * class-based TF-IDF (Grootendorst 2022, equation 1): a class is the responses of one checkpoint to one cluster's prompts, a term's weight in
 * it tf · ln(1 + A / f), tf its share of the class's terms, f its number in all classes and A the mean number of terms of a class. Terms
 * are ranked by the weight in M1's class minus that in M0's.
 *
 * Worked: two classes of one cluster, "no" twice before and "yes" twice after: A = 2, f = 2, so "yes" gains ln 2 = 0.693.
 */
export function clusterTerms(
  clusters: readonly ClusterTexts[],
  { count = 8 }: { readonly count?: number | undefined } = {},
): readonly ClusterTerms[] {
  const classes = clusters.map(({ before, after }) => ({
    before: countTerms(before),
    after: countTerms(after),
  }));
  const frequency = new Map<string, number>();
  let terms = 0;
  for (const each of classes.flatMap(({ before, after }) => [before, after])) {
    for (const [term, { times }] of each) {
      frequency.set(term, (frequency.get(term) ?? 0) + times);
      terms += times;
    }
  }
  const mean = terms / Math.max(1, 2 * classes.length);
  const weigh = (term: string): number => Math.log(1 + mean / frequency.get(term)!);
  return classes.map(({ before, after }) => ({
    more: gaining(weights(after, weigh), weights(before, weigh), after, count),
    less: gaining(weights(before, weigh), weights(after, weigh), before, count),
  }));
}

type Counts = ReadonlyMap<string, { readonly times: number; readonly responses: number }>;

function countTerms(texts: readonly string[]): Counts {
  const counts = new Map<string, { times: number; responses: number }>();
  for (const text of texts) {
    const words = text.toLowerCase().match(WORD) ?? [];
    const found = [...words, ...words.slice(1).map((word, i) => `${words[i]!} ${word}`)];
    const seen = new Set<string>();
    for (const term of found) {
      const entry = counts.get(term) ?? { times: 0, responses: 0 };
      counts.set(term, entry);
      entry.times += 1;
      if (!seen.has(term)) entry.responses += 1;
      seen.add(term);
    }
  }
  return counts;
}

function weights(counts: Counts, weigh: (term: string) => number): Weights {
  let total = 0;
  for (const { times } of counts.values()) total += times;
  return new Map([...counts].map(([term, { times }]) => [term, (times / total) * weigh(term)]));
}

function gaining(here: Weights, there: Weights, counts: Counts, count: number): readonly string[] {
  return [...here]
    .filter(([term]) => counts.get(term)!.responses >= MIN_RESPONSES)
    .map(([term, weight]) => ({ term, gain: weight - (there.get(term) ?? 0) }))
    .filter(({ gain }) => gain > 0)
    .toSorted((a, b) => b.gain - a.gain || (a.term < b.term ? -1 : 1))
    .slice(0, count)
    .map(({ term }) => term);
}
