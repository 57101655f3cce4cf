import { join } from "node:path";

import { type LiftTable, liftTables } from "../../ranking/lift-table.ts";
import { readRankedRows } from "../../ranking/read-ranked-rows.ts";
import { RESULT } from "../../runs/result.ts";
import { editedTops } from "../edited-tops.ts";
import { readRankings, type RunRanking } from "../read-rankings.ts";
import { definePart } from "../report-part.ts";

/** Sizes of the top where the ranking has no table of sources that says them, as shares of the scored pairs. */
const TOPS = [0.01, 0.05, 0.1];

/** Of pairs whose row does not name the writer of a side. */
const UNNAMED = "not named";

/** How far each generator is over-represented in the top of a ranking, as the writer of either side. */
export interface GeneratorLifts {
  readonly label: string;
  readonly sides: readonly {
    readonly side: "chosen" | "rejected";
    /** One for each size of the top. */
    readonly lifts: readonly LiftTable[];
  }[];
}

/** Which models wrote the sides of the pairs ranked highest; of no ranking where none names them. */
export const generatorsPart = definePart({
  name: "generators",
  read: async ({ run, signal }): Promise<readonly GeneratorLifts[] | undefined> => {
    const rankings = await readRankings(run);
    if (rankings.length === 0) return undefined;
    const result = await RESULT.find(join(run.path, RESULT.name));
    const found: GeneratorLifts[] = [];
    for (const ranking of rankings) {
      const sides = await liftsOf(ranking, editedTops(result, ranking.label), signal);
      if (sides.length > 0) found.push({ label: ranking.label, sides });
    }
    return found;
  },
});

async function liftsOf(
  { path, ranking }: RunRanking,
  edited: readonly number[],
  signal: AbortSignal | undefined,
): Promise<GeneratorLifts["sides"]> {
  // Candidates of another ranking are no sample of the pairs, so a share of them says nothing.
  if (ranking.candidates !== undefined) return [];
  const writers = { chosen: [] as string[], rejected: [] as string[] };
  let [isNamed, read] = [false, 0];
  const names = new Map([[UNNAMED, UNNAMED]]); // one string of each, not one of each row
  for await (const row of readRankedRows(path, ranking.layer, { signal })) {
    if (row.score === undefined) continue; // behind all that have one
    for (const side of ["chosen", "rejected"] as const) {
      const { [side]: name = UNNAMED } = row.generators;
      isNamed ||= row.generators[side] !== undefined;
      if (!names.has(name)) names.set(name, name);
      writers[side].push(names.get(name)!);
    }
    if (++read === LOOKED_AT && !isNamed) return [];
  }
  if (!isNamed) return [];
  const n = writers.chosen.length;
  const known = ranking.lifts.map(({ k }) => k);
  const plain = known.length > 0 ? known : TOPS.map((share) => Math.max(1, Math.round(share * n)));
  const more = edited.filter((top) => top <= n);
  const tops = [...new Set([...plain, ...more])].toSorted((a, b) => a - b);
  const order = Uint32Array.from({ length: n }, (_, i) => i); // as the file has them
  return (["chosen", "rejected"] as const).flatMap((side) =>
    writers[side].every((name) => name === UNNAMED)
      ? []
      : [{ side, lifts: liftTables(writers[side], order, tops) }],
  );
}

/** Rows after which a ranking that names no writer is taken to name none. */
const LOOKED_AT = 1000;
