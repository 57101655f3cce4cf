import { dot } from "../util/vector.ts";
import type { MethodTask, MethodWork, Scored } from "./method.ts";
import { readGroups, sidesOf, tokenizeFitting, tokensOf } from "./pair-examples.ts";

/** Of all rows, NaN for a pair that cannot be read, [N] each. */
export interface HiddenSimilarity extends Pick<Scored, "causes"> {
  /** From sums over a response's tokens. */
  readonly plain: Float32Array;
  /** From their means. */
  readonly normalised: Float32Array;
}

/**
 * Centred hidden embedding similarity (Razin et al., arXiv 2410.08847): ⟨Σ h(y⁺), Σ h(y⁻)⟩ − ‖Σ h(y⁺)‖², h the state behind the
 * final norm that predicts a token, one position earlier than it, summed over the response's tokens; length-normalised, each sum is divided
 * by its number of tokens. As in the authors' ches.py, commit 82e5dca, the state at the last token counts for nothing; their
 * script for whole data sets adds it. Sums (1, 0) of y⁺ and (3, 4) of y⁻: 3 − 1 = 2.
 */
export async function hiddenSimilarity(
  { checkpoint: { engine, flopsToLayer }, ...task }: MethodTask<"pairs" | "checkpoint">,
  work: MethodWork,
): Promise<HiddenSimilarity> {
  const plain = new Float32Array(task.rows.ids.length).fill(Number.NaN);
  const normalised = plain.slice();
  const causes = new Map<number, string>();
  const flopsPerToken = flopsToLayer(engine.identity.layerCount);
  for await (const group of readGroups(task, work)) {
    const fitting = tokenizeFitting(
      engine,
      group.map(({ pair }) => sidesOf(pair)),
    );
    const { examples, places } = fitting;
    for (const [place, cause] of fitting.causes) causes.set(group[place]!.row, cause); // of this group
    const found = engine.predictingStates(examples, { signal: work.signal });
    for await (const { index, sums, tokenCounts } of found) {
      const [chosen, rejected] = sums as [Float32Array, Float32Array]; // two responses went in
      const [n, m] = tokenCounts as [number, number];
      const { row } = group[places[index]!]!; // tokenised from this group
      plain[row] = dot(chosen, rejected) - dot(chosen, chosen);
      normalised[row] = dot(chosen, rejected) / (n * m) - dot(chosen, chosen) / (n * n);
      const tokens = tokensOf(examples[index]!);
      work.count({ tokens, flops: tokens * flopsPerToken });
    }
  }
  return { plain, normalised, causes };
}
