import { existsSync } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";

import { z } from "zod";

import { type DecisionFile, readDecisions } from "../edit/decisions.ts";
import { idLines } from "../edit/edit-manifest.ts";
import { planEditPaths } from "../edit/edit-paths.ts";
import {
  type Edit,
  EDIT,
  EDIT_PICKS,
  type EditSettings,
  isRandomPick,
  RANKED_ACTIONS,
  TENTHS,
} from "../edit/edit.ts";
import { DEFAULT_MIN_LIFT, planEdit } from "../edit/plan-edit.ts";
import { planReviewed } from "../edit/plan-reviewed.ts";
import { reviewedPrecision, type ReviewedPrecision } from "../edit/review-figures.ts";
import { copyWarnings, type PairTable, readPairTable, surveyPairs } from "../edit/survey-pairs.ts";
import { writeEdit, type WrittenEdit } from "../edit/write-edit.ts";
import type { PairSet } from "../pairs/open-pairs.ts";
import { type Ranking, readRanking } from "../ranking/ranking-file.ts";
import { writeFileAtomic } from "../util/atomic-file.ts";
import { ConfigError } from "../util/errors.ts";
import { makeFolder } from "../util/make-folder.ts";
import { count, nonNegative, seed, nonEmpty, whole } from "../util/setting-kinds.ts";
import { rankingInput } from "./inputs/files.ts";
import { pairsInput } from "./inputs/pairs.ts";
import { fileNamed } from "./outputs.ts";
import { by, othersChoice } from "./settings/common.ts";
import { formatEdit } from "./show/edit.ts";
import { type Contradiction, defineVerb, type Input, need } from "./verb.ts";

/** Pairs, and the column by which they are grouped. */
export interface GroupedPairs {
  readonly pairs: PairSet;
  readonly by?: string | undefined;
}

const groupedSettings = pairsInput.settings.extend({
  by: by.describe(
    "What counts as a source, for drop-source and for the mix of random pairs: chosen_model, say. Absent: source, where there is one.",
  ),
});

const groupedPairsInput = {
  ...pairsInput,
  settings: groupedSettings,
  open: async (paths, { by: column, ...settings }, work) => {
    // The data keeps all its columns anyway.
    const keep = column === undefined || column === "source" ? settings.keep : [column];
    return { pairs: await pairsInput.open(paths, { ...settings, keep }, work), by: column };
  },
  files: ({ pairs }) => pairs.files.map(({ path }) => path),
} as const satisfies Input<GroupedPairs, typeof groupedSettings>;

const rankingSettings = z.strictObject({
  rankingMethod: nonEmpty
    .optional()
    .describe("Which method of a ranking that holds several. Absent: the only one."),
  rankingBehavior: nonEmpty
    .optional()
    .describe("Which behaviour of a ranking that holds several. Absent: the only one."),
  rankingLayer: whole
    .optional()
    .describe("Which layer of a ranking that holds several. Absent: the only one."),
});

const oneRankingInput = {
  ...rankingInput,
  describe:
    "The ranking: .parquet, .jsonl or .csv with id and rank or score. Named sources and random pairs of any source need none.",
  isOptional: true,
  settings: rankingSettings,
  open: ([path = ""], { rankingMethod, rankingBehavior, rankingLayer }, { signal }) =>
    readRanking(path, {
      method: rankingMethod,
      behavior: rankingBehavior,
      layer: rankingLayer,
      signal,
    }),
  files: ({ file }) => (file === undefined ? [] : [file.path]),
} as const satisfies Input<Ranking, typeof rankingSettings>;

const decisionsInput = {
  kind: "decisions",
  placeholder: "FILE",
  describe:
    "Instead of an action: what people decided of single pairs, as culprit report --serve writes it.",
  isOptional: true,
  open: ([path = ""]) => readDecisions(path),
} as const satisfies Input<DecisionFile>;

/** What was decided, and where it was written. */
export interface Edited {
  readonly edit: Edit;
  /** Of the ranking by the decisions, where both were given. */
  readonly precision?: readonly ReviewedPrecision[] | undefined;
  /** Usable pairs of the data. */
  readonly pairs: number;
  readonly written?: WrittenEdit | undefined;
}

const editSettings = z.strictObject({
  action: z
    .enum(RANKED_ACTIONS)
    .optional()
    .describe(
      "filter drops the top pairs, swap exchanges their sides, drop-source drops sources, tenth drops all but one tenth of the ranking. Absent: what decisions say.",
    ),
  top: z
    .union([count, z.array(count).min(1)], {
      error: "expected numbers of pairs like 100 or 100,1000",
    })
    .optional()
    .describe(
      "k, a number of pairs, or with drop-source the top in which sources are looked for; of several each gets a folder of its own in --out. Absent: none, beside named sources.",
    ),
  sources: z
    .union([z.literal("auto"), z.array(nonEmpty).min(1).readonly()], {
      error: "expected auto or a list of sources",
    })
    .optional()
    .meta({
      description:
        "For drop-source: the sources to drop, or auto, those over-represented in the top. Absent: auto.",
      isWhole: true,
    }),
  minLift: nonNegative
    .optional()
    .describe(
      `For drop-source: the lift whose 95% interval must lie above this. Absent: ${DEFAULT_MIN_LIFT}.`,
    ),
  tenth: count
    .max(TENTHS, { error: `expected a number from 1 to ${TENTHS}` })
    .optional()
    .describe(
      `For tenth: the one that is left, 1 the highest scores, ${TENTHS} the lowest. Absent: none.`,
    ),
  pick: z
    .enum(EDIT_PICKS)
    .default("chosen")
    .describe(
      "chosen, or as many pairs instead: random of the same sources (with drop-source and tenth of any), random-any of any source, bottom those ranked lowest.",
    ),
  seed: seed.optional().describe("Of the random pairs. Absent: 0."),
});
type Settings = z.output<typeof editSettings>;

export const edit = defineVerb({
  name: "edit",
  summary:
    "Removes or swaps the pairs that a ranking puts first, whole sources, as many at random, or what people decided",
  about: `
PAIRS are the files that were embedded, --ranking what culprit rank wrote of them. Pairs are found by id, never by row.

  filter       removes the k pairs with the highest scores; equal scores by row
  swap         exchanges chosen and rejected of those pairs, and columns like chosen_model and rejected_model with them
  drop-source  removes every pair of the named sources, or of those over-represented in the top k: the 95% interval of
               their lift lies above --min-lift
  tenth        removes all pairs but one tenth of the ranking, to see what each tenth teaches by itself

--decisions does what people decided of single pairs instead (docs/report.md, review queue): pairs to drop are removed, pairs to
swap exchanged, all others stay. --pick random beside it does as much to as many random pairs. With a ranking beside it the
precision of its tops by these decisions is printed.

--pick random makes the control instead: as many random pairs of each source. The data is written in its own format with all
columns and under the same ids, then read back and compared; the manifest beside it says how it was made. Without --out nothing
is written but what --ids and --plan name.

--pick bottom takes the pairs ranked lowest: where the ranking is right, the behaviour stays or grows without them.

  culprit edit pairs.jsonl.gz --ranking ranking.parquet --action filter --top 3000 --out filtered.jsonl.gz
  culprit edit "mix/*.parquet" --ranking ranking.parquet --action swap --top 100,1000 --pick random --seed 1 --out edits/
  culprit edit pairs.jsonl.gz --decisions culprit-out/mine/decisions.jsonl --out reviewed.jsonl.gz`,
  version: 4,
  inputs: { pairs: groupedPairsInput, ranking: oneRankingInput, decisions: decisionsInput },
  settings: editSettings,
  check: ({ action, ...settings }, given) => [
    ...need(
      action !== undefined || given.has("decisions"),
      ["action"],
      `expected ${RANKED_ACTIONS.join(", ")}, or decisions`,
    ),
    ...need(
      action === undefined || !given.has("decisions"),
      ["action"],
      "expected none beside decisions, which say what to do with each pair",
    ),
    ...(action === undefined ? checkUnranked(settings) : checkRanked({ ...settings, action })),
    ...need(
      isRandomPick(settings.pick) || settings.seed === undefined,
      ["seed"],
      `expected a random pick with it, got ${settings.pick}`,
    ),
    ...need(
      settings.pick !== "bottom" || action === "filter" || action === "swap",
      ["pick"],
      "expected bottom with filter or swap alone, which take a number of pairs",
    ),
  ],
  outputs: {
    out: {
      artifact: fileNamed("edited"),
      placeholder: "PATH",
      describe: "The edited data: a file ending like the data where that is one file, or a folder.",
      isOptional: true,
      place: "either",
      // Looked after by planEditPaths, which knows what lies beside it.
      isResumable: true,
    },
    ids: {
      artifact: fileNamed("ids.jsonl"),
      placeholder: "FILE",
      describe: "The ids of the pairs alone to write, as .txt or .jsonl.",
      endings: [".txt", ".jsonl"],
      isOptional: true,
    },
    plan: {
      artifact: EDIT,
      placeholder: "FILE.json",
      describe: "What was decided to write, as JSON; culprit train --edit trains on it.",
      endings: [".json"],
      isOptional: true,
    },
  },
  run: async ({ pairs: { pairs, by: column }, ranking, decisions }, settings, work) => {
    const { out, isForced, signal, progress } = work;
    const tops = settings.top === undefined ? [undefined] : [...new Set([settings.top].flat())];
    const places = await planPlaces(pairs, tops, settings, work);
    const options = { by: column, contentHash: pairs.contentHash, signal };
    const survey =
      out.out === undefined
        ? undefined
        : await surveyPairs(pairs, { ...options, progress: progress("rows") });
    const table = survey?.table ?? (await readPairTable(pairs.read({ signal }), options));
    const sources = namedSources(settings.sources, table.groups);
    const decided = decisions && { ...decisions, path: work.nameOf(decisions.path) };
    const named = ranking && {
      ...ranking,
      file: ranking.file && { ...ranking.file, path: work.nameOf(ranking.file.path) },
    };
    const edits: Edited[] = [];
    for (const [i, top] of tops.entries()) {
      const chosen = plan(table, { ...settings, sources, top }, { ranking: named, decided });
      const stale = survey === undefined ? [] : copyWarnings(survey, chosen);
      const planned = { ...chosen, warnings: [...chosen.warnings, ...stale] };
      const precision =
        ranking && decided && reviewedPrecision([...ranking.ids], decided.decisions);
      const made: Edited = { edit: planned, precision, pairs: table.ids.length };
      if (survey === undefined) {
        edits.push(made);
        continue;
      }
      if (planned.ids.length === 0) throw nothingToDrop(planned);
      const written = await writeEdit(survey, planned, {
        out: places[i]!,
        force: isForced,
        ranking,
        signal,
        progress: progress("rows"),
      });
      edits.push({ ...made, written });
    }
    const [first] = edits as [Edited]; // of every top one
    if (out.ids !== undefined) await writeIds(out.ids, first.edit.ids);
    if (out.plan !== undefined) await EDIT.write(out.plan, first.edit);
    return edits;
  },
  show: (edits) => edits.map((each) => formatEdit(each)).join("\n\n"),
  warnings: (edits) => [...new Set(edits.flatMap(({ edit: planned }) => planned.warnings))],
});

/** What a ranking or random draws choose needs. */
function checkRanked({
  action,
  top,
  tenth,
  sources = "auto",
  minLift,
}: Settings & { readonly action: NonNullable<Settings["action"]> }): readonly Contradiction[] {
  return [
    ...othersChoice("action", action, {
      "drop-source": { sources: sources !== "auto", minLift: minLift !== undefined },
      tenth: { tenth: tenth !== undefined },
    }),
    ...need(
      top !== undefined || sources !== "auto" || action === "tenth",
      ["top"],
      "expected a number of pairs, got none",
    ),
    ...need(
      top === undefined || action !== "tenth",
      ["top"],
      "expected none beside tenth, which leaves a tenth of the pairs with a score",
    ),
    ...need(
      tenth !== undefined || action !== "tenth",
      ["tenth"],
      `expected which tenth is left, 1 to ${TENTHS}, got none`,
    ),
    ...need(
      top === undefined || sources === "auto",
      ["top"],
      "expected none beside named sources, which are dropped whole",
    ),
  ];
}

/** No pair is chosen by a ranking beside decisions. */
function checkUnranked({
  top,
  tenth,
  sources,
  minLift,
}: Omit<Settings, "action">): readonly Contradiction[] {
  const none = "expected none beside decisions";
  return [
    ...need(tenth === undefined, ["tenth"], none),
    ...need(top === undefined, ["top"], none),
    ...need(sources === undefined, ["sources"], none),
    ...need(minLift === undefined, ["minLift"], none),
  ];
}

/** By what people decided, or by an action. */
function plan(
  table: PairTable,
  {
    action,
    ...settings
  }: Omit<Settings, "top" | "sources"> & Pick<EditSettings, "top" | "sources">,
  {
    ranking,
    decided,
  }: { readonly ranking: Ranking | undefined; readonly decided: DecisionFile | undefined },
): Edit {
  if (decided !== undefined) return planReviewed(table, decided, settings);
  if (action === undefined) throw new Error("internal: an edit without an action");
  return planEdit(table, { ...settings, action }, ranking);
}

/** Where each edit goes, checked before the work: a folder for each where there are several. */
async function planPlaces(
  pairs: PairSet,
  tops: readonly (number | undefined)[],
  { action, pick }: Settings,
  { out, isForced }: Pick<Parameters<typeof edit.run>[2], "out" | "isForced">,
): Promise<readonly string[]> {
  for (const name of ["ids", "plan"] as const) {
    if (out[name] === undefined || tops.length === 1) continue;
    throw new ConfigError(`${name}: expected one top, got ${tops.length}`);
  }
  if (out.out === undefined) return [];
  const files = pairs.files.map(({ path }) => path);
  if (tops.length === 1) {
    planEditPaths(files, out.out, isForced);
    return [out.out];
  }
  if (!existsSync(dirname(resolve(out.out)))) {
    throw new ConfigError(`${dirname(out.out)}: no such folder for out`, {
      hint: "Make it first, or choose another place.",
    });
  }
  await makeFolder(out.out);
  // Several tops are of an action.
  const kind = isRandomPick(pick)
    ? `random-${action!}`
    : pick === "bottom"
      ? `bottom-${action!}`
      : action!;
  // A folder of that name within the output: ends in a separator, so that no name passes for a file's.
  const places = tops.map((top) => join(out.out!, `${kind}-${top}`, sep));
  for (const place of places) planEditPaths(files, place, isForced);
  return places;
}

/** A name with a comma is taken whole where the data has it. */
function namedSources(
  names: "auto" | readonly string[] | undefined,
  groups: readonly string[],
): "auto" | readonly string[] | undefined {
  if (names === undefined || names === "auto") return names;
  const known = new Set(groups);
  return names.flatMap((name) =>
    known.has(name) ? [name] : name.split(",").map((part) => part.trim()),
  );
}

function nothingToDrop({ action, top }: Edit): ConfigError {
  return new ConfigError(
    `${action}: expected sources over-represented in the top ${top}, got none`,
    { hint: "A lower minLift takes less certain ones, sources names them." },
  );
}

async function writeIds(path: string, ids: readonly string[]): Promise<void> {
  await writeFileAtomic(path, path.endsWith(".txt") ? textLines(ids) : idLines(ids));
}

function textLines(ids: readonly string[]): string {
  const bad = ids.find((id) => /[\p{Cc}\p{Cs}\u2028\u2029]/u.test(id));
  if (bad === undefined) return ids.map((id) => `${id}\n`).join("");
  throw new ConfigError(
    `ids: expected ids that fit on a line of text, got ${JSON.stringify(bad)}`,
    { hint: "Choose a name that ends in .jsonl." },
  );
}
