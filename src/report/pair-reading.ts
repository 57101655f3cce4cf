import type { ResolveRemote } from "../pairs/expand-patterns.ts";
import { openPairs, type OpenPairsOptions, type PairSet } from "../pairs/open-pairs.ts";
import { PAIR_SHAPES } from "../pairs/shapes/shapes.ts";
import { plantedIds } from "../ranking/planted.ts";
import { ConfigError, CulpritError } from "../util/errors.ts";
import type { RunFolder } from "./run-folder.ts";

/** The pairs that a run ranked, with their text where it can be had. */
export interface PairReading {
  /** Undefined where the files are not there any more. */
  readonly pairs: PairSet | undefined;
  /** Why they are not; undefined where they are. */
  readonly absent: string | undefined;
  /** Ids of the pairs known to cause the behaviour; undefined where nobody knows. */
  readonly planted: ReadonlySet<string> | undefined;
}

export interface PairReadingOptions {
  /** The files of the pairs where they lie now; default: where the experiment file has them. */
  readonly given?: PairSet | undefined;
  readonly resolveRemote?: ResolveRemote | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens the pairs of a run: those given, else the files that its experiment names. Throws ConfigError where given pairs are not those
 * that were ranked; files that have moved or changed leave the report without text, and it says why.
 */
export async function openRunPairs(
  run: RunFolder,
  { given, resolveRemote, signal }: PairReadingOptions,
): Promise<PairReading> {
  const wanted = run.manifest.inputs["pairs"];
  const { planted } = run.settings.pairs;
  const open = (
    files: readonly string[],
    keepColumns: readonly string[] | undefined,
  ): Promise<PairSet> => openAgain(run, files, { keepColumns, resolveRemote, signal });
  const reading = async (pairs: PairSet): Promise<PairReading> => {
    if (planted === undefined) return { pairs, absent: undefined, planted: undefined };
    // The column of truth travels with the pairs in no other reading.
    const truth = await open(
      pairs.files.map(({ path }) => path),
      [planted],
    );
    return { pairs, absent: undefined, planted: new Set(await plantedIds(truth, planted)) };
  };
  if (given !== undefined) {
    if (given.contentHash === wanted) return reading(given);
    throw new ConfigError("pairs: expected the pairs that the run ranked, got others", {
      hint: "Give the same files in the same order, with the settings of the experiment's section pairs.",
    });
  }
  try {
    const pairs = await open(run.settings.pairs.files.map(run.at), run.settings.pairs.keep);
    if (pairs.contentHash === wanted) return await reading(pairs);
    return without("the files of the pairs have changed since the run");
  } catch (error) {
    if (!(error instanceof CulpritError)) throw error;
    return without(`the files of the pairs cannot be read (${error.message})`);
  }
}

const without = (absent: string): PairReading => ({ pairs: undefined, absent, planted: undefined });

function openAgain(
  { settings }: RunFolder,
  files: readonly string[],
  options: Pick<OpenPairsOptions, "keepColumns" | "resolveRemote" | "signal">,
): Promise<PairSet> {
  const { sourceColumn, limit, shape } = settings.pairs;
  return openPairs(files, {
    shape: PAIR_SHAPES.find((each) => each === shape),
    sourceColumn,
    limit,
    ...options,
  });
}
