import { twoSidedQuantile } from "../stats/student-t.ts";
import { meanOf } from "../util/vector.ts";
import type { Rows } from "./multiply-rows.ts";

/** How far the pairs of one source move the activations the way a cluster's behaviour does. */
export interface SourceEffect {
  readonly source: string;
  /** Sampled pairs. */
  readonly pairs: number;
  /** Mean cosine over the cluster's prompts and the source's pairs. */
  readonly effect: number;
  /** 95%; undefined for one group of prompts or one pair. */
  readonly low: number | undefined;
  readonly high: number | undefined;
}

/**
 * Effects of each source on a cluster with intervals over prompts and pairs, which are crossed: the squared errors of the mean over groups of
 * prompts and of the mean over pairs add up, which counts the noise of single cells twice and so is never too narrow for it; Student's t
 * of groups - 1 degrees of freedom. `cosines` are [pairs, prompts]; `members` the cluster's columns, `groups` and `sources` the names by
 * column and by row. Largest effect first.
 *
 * Worked: prompts with mean cosines 0.2 and 0.4, over pairs that agree, have the effect 0.3 with an error of 0.1 and t(1) = 12.71.
 */
export function sourceEffects(
  { count, width, values }: Rows,
  members: readonly number[],
  { groups, sources }: { readonly groups: readonly string[]; readonly sources: readonly string[] },
): readonly SourceEffect[] {
  const names = [...new Set(sources)];
  const found = names.map((source): SourceEffect => {
    const byGroup = new Map<string, { sum: number; cells: number }>();
    const byPair: number[] = [];
    for (let i = 0; i < count; i++) {
      if (sources[i] !== source) continue;
      let sum = 0;
      for (const member of members) {
        const cosine = values[i * width + member]!;
        const cell = byGroup.get(groups[member]!) ?? { sum: 0, cells: 0 };
        byGroup.set(groups[member]!, cell);
        cell.sum += cosine;
        cell.cells += 1;
        sum += cosine;
      }
      byPair.push(sum / members.length);
    }
    const ofGroups = [...byGroup.values()].map(({ sum, cells }) => sum / cells);
    const effect = meanOf(byPair);
    const variance = ofMean(ofGroups) + ofMean(byPair);
    const isKnown = ofGroups.length > 1 && byPair.length > 1;
    const half = isKnown ? Math.sqrt(variance) * twoSidedQuantile(0.05, ofGroups.length - 1) : NaN;
    return {
      source,
      pairs: byPair.length,
      effect,
      low: isKnown ? effect - half : undefined,
      high: isKnown ? effect + half : undefined,
    };
  });
  return found.toSorted((a, b) => b.effect - a.effect);
}

/** The squared error of a mean of independent values; 0 for one. */
function ofMean(values: readonly number[]): number {
  const n = values.length;
  if (n < 2) return 0;
  const centre = meanOf(values);
  return values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (n - 1) / n;
}
