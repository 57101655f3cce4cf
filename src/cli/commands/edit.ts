import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";

import type { EditManifest } from "../../edit/edit-manifest.ts";
import { planEditPaths } from "../../edit/edit-paths.ts";
import type { Edit } from "../../edit/edit.ts";
import { DEFAULT_MIN_LIFT, planEdit } from "../../edit/plan-edit.ts";
import { type PairSurvey, surveyPairs } from "../../edit/survey-pairs.ts";
import { writeEdit } from "../../edit/write-edit.ts";
import { openPairs, type PairSet } from "../../pairs/open-pairs.ts";
import { type Ranking, readRanking } from "../../ranking/ranking-file.ts";
import { ConfigError } from "../../util/errors.ts";
import { formatEdit } from "../../verbs/show/edit.ts";
import type { Command, CommandContext, ParsedArguments } from "../command.ts";
import { checkIdsOutput, writeIds } from "../edit-ids.ts";
import { type EditRequest, readEditRequests } from "../edit-requests.ts";
import { PAIR_FLAGS, readPairOptions } from "../pair-flags.ts";
import { requiredPositionals, requiredText } from "../required.ts";

export const editCommand: Command = {
  name: "edit",
  summary:
    "Removes or swaps the pairs that a ranking puts first, or whole sources; or as many at random",
  positionals: "PAIRS...",
  description: `
PAIRS are the files that were embedded, --ranking what culprit rank wrote of them. Pairs are found by id, never by row.

  filter       removes the k pairs with the highest scores; equal scores by row
  swap         exchanges chosen and rejected of those pairs, and columns like chosen_model and rejected_model with them
  drop-source  removes every pair of the named sources, or of those over-represented in the top k: the 95% interval of
               their lift lies above --min-lift

--random makes the control instead: as many random pairs of each source. The data is written in its own format with all
columns and under the same ids, then read back and compared; the manifest beside it says how it was made.

  culprit edit pairs.jsonl.gz --ranking ranking.parquet --action filter --top 3000 --out filtered.jsonl.gz
  culprit edit "mix/*.parquet" --ranking ranking.parquet --action swap --top 100,1000 --random --seed 1 --out edits/`,
  flags: {
    ...PAIR_FLAGS,
    ranking: {
      type: "string",
      value: "FILE",
      describe:
        "The ranking: .parquet, .jsonl or .csv with id and rank or score. Default: none, which named --sources and --any-source can do with.",
    },
    behavior: {
      type: "string",
      value: "NAME",
      describe: "Which behaviour of a ranking that holds several; default: the only one.",
    },
    layer: {
      type: "string",
      value: "N",
      describe: "Which layer of a ranking that holds several; default: the only one.",
    },
    action: { type: "string", value: "NAME", describe: "filter, swap or drop-source." },
    top: {
      type: "string",
      value: "LIST",
      multiple: true,
      describe: "k, a number of pairs, or several: each gets a folder of its own in --out.",
    },
    by: {
      type: "string",
      value: "COLUMN",
      describe:
        "What counts as a source, for drop-source and for the mix of --random: chosen_model, say. Default: source, where there is one.",
    },
    sources: {
      type: "string",
      value: "NAMES",
      multiple: true,
      describe: "drop-source: values of that column, or auto. Default auto.",
    },
    "min-lift": {
      type: "string",
      value: "X",
      describe: `drop-source, auto: the lower end of a source's lift has to be above this. Default ${DEFAULT_MIN_LIFT}.`,
    },
    random: {
      type: "boolean",
      describe:
        "As many random pairs of the same sources instead; with drop-source as many random pairs of any source.",
    },
    "any-source": { type: "boolean", describe: "With --random: pairs of any source." },
    seed: { type: "string", value: "N", describe: "Of the random pairs. Default 0." },
    out: {
      type: "string",
      value: "PATH",
      describe:
        "A file ending like the data where that is one file, or a folder. With --ids-only a .txt or .jsonl file; default: stdout.",
    },
    "ids-only": { type: "boolean", describe: "Only the ids of the pairs, no data." },
    force: { type: "boolean", describe: "Replace an existing --out." },
  },
  run,
};

async function run(args: ParsedArguments, context: CommandContext): Promise<void> {
  const patterns = requiredPositionals(args, "edit", "files of preference pairs");
  const requests = readEditRequests(args);
  const by = args.text("by");
  const options = readPairOptions(args, context);
  const pairs = await openPairs(patterns, {
    ...options,
    // The data keeps all its columns anyway.
    keepColumns: by === undefined || by === "source" ? options.keepColumns : [by],
  });
  const outputs = await checkOutputs(requests, pairs, args);
  const ranking = await readGivenRanking(args, context);
  const survey = await readPairs(pairs, by, context);
  const edits = requests.map((settings) => plan(survey, settings, ranking));
  for (const line of new Set(edits.flatMap(({ warnings }) => warnings))) context.warn(line);
  if (args.has("ids-only")) return writeIds(edits[0]!, args, context);
  const manifests: EditManifest[] = [];
  const texts: string[] = [];
  for (const [i, edit] of edits.entries()) {
    const settings = {
      out: outputs[i]!,
      force: args.has("force"),
      ranking,
      signal: context.signal,
    };
    const progress = context.progress("edit", "rows");
    const written = await writeEdit(survey, edit, { ...settings, progress }).finally(() => {
      progress.end();
    });
    manifests.push(written.manifest);
    const lines = [`written and checked: ${written.paths.out}`, `how: ${written.paths.manifest}`];
    texts.push(formatEdit(edit, survey.table.ids.length, lines));
  }
  const json = manifests.length === 1 ? manifests[0] : manifests;
  context.print(args.has("json") ? JSON.stringify(json, undefined, 2) : texts.join("\n\n"));
}

/** Where each edit goes, checked before the work: a folder for each where there are several. */
async function checkOutputs(
  requests: readonly EditRequest[],
  pairs: PairSet,
  args: ParsedArguments,
): Promise<string[]> {
  const files = pairs.files.map(({ path }) => path);
  if (args.has("ids-only")) {
    if (requests.length > 1) {
      throw new ConfigError(`--ids-only: expected one --top, got ${requests.length}`);
    }
    const ranking = args.text("ranking");
    checkIdsOutput(args, ranking === undefined ? files : [...files, ranking]);
    return [];
  }
  const out = requiredText(args, "edit", "out");
  const isForced = args.has("force");
  if (requests.length === 1) {
    planEditPaths(files, out, isForced);
    return [out];
  }
  if (!existsSync(dirname(resolve(out)))) {
    throw new ConfigError(`${dirname(out)}: no such folder for --out`, {
      hint: "Make it first, or choose another --out.",
    });
  }
  await mkdir(out, { recursive: true });
  // A folder of that name within the output: ends in a separator, so that no name passes for a file's.
  const outputs = requests.map(({ name }) => join(out, name, sep));
  for (const each of outputs) planEditPaths(files, each, isForced);
  return outputs;
}

async function readGivenRanking(
  args: ParsedArguments,
  context: CommandContext,
): Promise<Ranking | undefined> {
  const path = args.text("ranking");
  if (path === undefined) return undefined;
  const layer = args.integer("layer", { min: 0 });
  return readRanking(path, { behavior: args.text("behavior"), layer, signal: context.signal });
}

async function readPairs(
  pairs: PairSet,
  by: string | undefined,
  context: CommandContext,
): Promise<PairSurvey> {
  const progress = context.progress("read", "rows");
  try {
    return await surveyPairs(pairs, { by, progress, signal: context.signal });
  } finally {
    progress.end();
  }
}

function plan(survey: PairSurvey, request: EditRequest, ranking: Ranking | undefined): Edit {
  const edit = planEdit(survey.table, request.settingsFor(survey.table.groups), ranking);
  if (edit.ids.length > 0) return edit;
  throw new ConfigError(
    `${edit.action}: expected sources over-represented in the top ${edit.top}, got none`,
    { hint: "A lower --min-lift takes less certain ones, --sources names them." },
  );
}
