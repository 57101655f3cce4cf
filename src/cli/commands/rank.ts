import type { PairScores } from "../../attribution/method.ts";
import { probe } from "../../attribution/methods/probe.ts";
import { storeRows } from "../../attribution/pair-rows.ts";
import { scorePairs } from "../../attribution/score-pairs.ts";
import type { ScoredBehavior } from "../../attribution/scored-behavior.ts";
import { SCORERS } from "../../attribution/scorer.ts";
import { readBehavior } from "../../behavior/behavior-file.ts";
import { chooseGroupColumn } from "../../ranking/group-column.ts";
import { reportRankings, type RankingReport, type TopSize } from "../../ranking/ranking-report.ts";
import { requireRankingFormat, writeRankings } from "../../ranking/write-ranking.ts";
import { openStore } from "../../store/open-store.ts";
import { readStoreTable } from "../../store/read-store-table.ts";
import { ConfigError } from "../../util/errors.ts";
import { formatRankings } from "../../verbs/show/ranking.ts";
import type { Command, CommandContext, ParsedArguments } from "../command.ts";
import { parseLayers } from "../layers.ts";
import { checkOutputFiles } from "../output-files.ts";
import { onlyPositional } from "../required.ts";

export const rankCommand: Command = {
  name: "rank",
  summary: "Scores all stored pairs for a behaviour and ranks them",
  positionals: "STORE",
  description: `
STORE is the folder that culprit embed wrote, the behaviour a file of culprit behavior made with the same checkpoint. Several
behaviours and layers are scored in one pass. A high score: going from the rejected to
the chosen response moves the activations the way the behaviour does. What training on the pair does is not measured here.

The verdict (concentrated, diffuse or no signal) holds the scores to two nulls: directions of random signs, always, and with
--null-behavior an unrelated behaviour, one that training is not suspected of. Where that one's ranking is as concentrated,
or has the same pairs at its top, what stands out is not this behaviour's. culprit conditions --null-out makes response
pairs for one.

Printed for each behaviour and layer: the pairs at both ends (ids, no text), the histogram of the scores against that of null
directions, which sources are over-represented in the top, and how far plain properties of the pairs explain the score.

  culprit rank vectors/ --behavior complies.safetensors --layers 20 --out ranking.parquet`,
  flags: {
    behavior: {
      type: "string",
      value: "FILE",
      multiple: true,
      describe: "A behaviour file; may be given several times.",
    },
    "null-behavior": {
      type: "string",
      value: "FILE",
      multiple: true,
      describe:
        "A behaviour file of an unrelated behaviour, as a second null; may be given several times. Default: none, sign flips alone.",
    },
    layers: {
      type: "string",
      value: "LIST",
      describe:
        "Layers: numbers and ranges like 8,10-12, or auto, the one that culprit behavior chose. Default: all that store and behaviour share.",
    },
    scorer: {
      type: "string",
      value: "NAME",
      describe:
        "cosine (default); projection, which keeps the vector's length; centred-cosine, the mean vector of all pairs subtracted; bank-max, the nearest of the behaviour's scenarios.",
    },
    out: {
      type: "string",
      value: "FILE",
      describe: "Write the whole ranking; the ending says how: .parquet, .jsonl or .csv.",
    },
    force: { type: "boolean", describe: "Replace an existing --out." },
    top: {
      type: "string",
      value: "LIST",
      multiple: true,
      describe: "Tops for the table of sources: numbers of pairs or shares. Default 1%,5%,10%.",
    },
    by: {
      type: "string",
      value: "COLUMN",
      describe: "Kept column for that table. Default: source, where there is one.",
    },
    show: {
      type: "string",
      value: "N",
      describe: "Pairs to list at either end. Default 10.",
    },
    null: {
      type: "string",
      value: "N",
      describe:
        "Null directions to score, at most; 0 for none. Default 64, of which bank-max takes 16.",
    },
    threads: {
      type: "string",
      value: "N",
      describe: "Threads of the arithmetic. Default: one for each core.",
    },
    "allow-incomplete": {
      type: "boolean",
      describe: "Rank what is there of a store whose embedding has not ended.",
    },
  },
  run,
};

async function run(args: ParsedArguments, context: CommandContext): Promise<void> {
  const directory = onlyPositional(args, "rank", "one vector store");
  const out = args.text("out");
  const files = args.texts("behavior");
  const nullFiles = args.texts("null-behavior");
  if (out !== undefined) {
    requireRankingFormat(out);
    checkOutputFiles([out], { isForced: args.has("force"), inputs: [...files, ...nullFiles] });
  }
  if (files.length === 0) {
    throw new ConfigError("rank: --behavior is missing", {
      hint: "culprit behavior makes such a file.",
    });
  }
  const tops = args.list("top").map(parseTop);
  const show = args.integer("show", { min: 0, max: 10_000 }) ?? 10;
  const selection = args.text("layers");
  const asked = selection?.trim() === "auto" ? "auto" : parseLayers(selection ?? "all");
  const layers: "auto" | readonly number[] | undefined = asked === "all" ? undefined : asked;
  const threads = args.integer("threads", { min: 1, max: 1024 });
  const settings = {
    scorer: args.choice("scorer", SCORERS) ?? "cosine",
    nullDirections: args.integer("null", { min: 0, max: 1024 }),
  } as const;

  const store = await openStore(directory, { allowIncomplete: args.has("allow-incomplete") });
  if (store.completion === undefined) {
    context.warn(`${directory} is incomplete: ranking the ${store.rows} pairs so far`);
  }
  // Before the work, not after it.
  const by = chooseGroupColumn(store.manifest.pairs.columns, args.text("by"));
  const read = await readBehaviors([...files, ...nullFiles]);
  const behavior = { wanted: read.slice(0, files.length), unrelated: read.slice(files.length) };
  const rows = storeRows(await readStoreTable(store));
  const task = { rows, store, behavior, layers };
  const progress = context.progress("rank", "pairs");
  let scores: readonly PairScores[];
  try {
    scores = await scorePairs(probe, task, settings, { threads, progress, signal: context.signal });
  } finally {
    progress.end();
  }
  const reports = reportRankings(rows, scores, {
    show,
    ...(tops.length === 0 ? {} : { tops }),
    by,
  });
  if (out !== undefined) {
    await writeRankings(out, rows, scores, store.manifest.pairs.contentHash);
  }
  for (const report of reports) warnOfDoubts(report, context);
  context.print(args.has("json") ? JSON.stringify(reports, undefined, 2) : formatRankings(reports));
  if (out !== undefined) context.log(`ranking written to ${out}`);
}

function warnOfDoubts(
  { behavior, layer, doubt, verdict }: RankingReport,
  context: CommandContext,
): void {
  if (doubt !== undefined) context.warn(`behavior "${behavior}", layer ${layer}: ${doubt}`);
  for (const other of verdict?.notHeldTo ?? []) {
    context.warn(
      `behavior "${behavior}", layer ${layer}: not held to "${other.behavior}": ${other.reason}`,
    );
  }
}

async function readBehaviors(files: readonly string[]): Promise<ScoredBehavior[]> {
  const behaviors: ScoredBehavior[] = [];
  for (const file of files) {
    const behavior = await readBehavior(file);
    const twin = behaviors.findIndex(({ name }) => name === behavior.name);
    if (twin !== -1) {
      throw new ConfigError(
        `${file}: its behaviour is called "${behavior.name}", like that of ${files[twin]}`,
        { hint: "culprit behavior --name gives another name." },
      );
    }
    behaviors.push(behavior);
  }
  return behaviors;
}

/** `300` pairs or `5%` of them. */
function parseTop(word: string): TopSize {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(word);
  const value = Number(match?.[1]);
  if (match?.[2] === "%" && value > 0 && value <= 100) return { share: value / 100 };
  if (match?.[2] === "" && Number.isSafeInteger(value) && value > 0) return { count: value };
  throw new ConfigError(`--top: expected numbers of pairs or shares like 300 or 5%, got "${word}"`);
}
