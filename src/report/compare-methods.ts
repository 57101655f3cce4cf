import { spearman } from "../stats/spearman.ts";
import type { RankedPairs } from "./ranked-pairs.ts";
import type { MethodAgreement } from "./report-source.ts";

/** Sizes of the tops that are compared, as shares of the pairs. */
const TOPS = [0.01, 0.05, 0.1] as const;

/** What two rankings are compared by. */
type Compared = Pick<RankedPairs, "methods" | "scores" | "ranks">;

/** Compares every two rankings of the same pairs. */
export function compareMethods(ranked: Compared): readonly MethodAgreement[] {
  const { methods } = ranked;
  return methods.flatMap((_, a) =>
    methods.slice(a + 1).map((__, i) => compareTwo(ranked, a, a + 1 + i)),
  );
}

function compareTwo({ methods, scores, ranks }: Compared, a: number, b: number): MethodAgreement {
  const both = Uint32Array.from(ranks[a]!.keys()).filter(
    (at) => ranks[a]![at] !== 0 && ranks[b]![at] !== 0,
  );
  const of = (column: Float32Array): Float64Array => Float64Array.from(both, (at) => column[at]!);
  const sizes = TOPS.map((share) => Math.max(1, Math.round(share * both.length)));
  return {
    between: [methods[a]!.label, methods[b]!.label],
    correlation: spearman(of(scores[a]!), of(scores[b]!)),
    tops: [...new Set(sizes)].map((k) => ({
      k,
      shared: both.filter((at) => ranks[a]![at]! <= k && ranks[b]![at]! <= k).length,
      expected: (k * k) / both.length,
    })),
  };
}
