import { pathToFileURL } from "node:url";

import { z } from "zod";

import { resolveDatasetFiles } from "../hub/resolve-dataset-files.ts";
import { type MadeReport, makeReport } from "../report/make-report.ts";
import { keepHeapSmall } from "../serve/keep-heap-small.ts";
import { serveReport } from "../serve/serve-report.ts";
import { ConfigError } from "../util/errors.ts";
import { nonEmpty } from "../util/setting-kinds.ts";
import { expectFilePlace } from "./check-outputs.ts";
import { forecastInput } from "./inputs/forecast.ts";
import { pairsInput } from "./inputs/pairs.ts";
import { defineVerb, type Input, need } from "./verb.ts";

const runInput = {
  kind: "run",
  placeholder: "RUN",
  describe: "One folder of a run, as culprit run writes it.",
  isPositional: true,
  open: ([path = ""]) => Promise.resolve(path),
} as const satisfies Input<string>;

export const report = defineVerb({
  name: "report",
  summary: "A page of a run, from disk or from a server here: what happened, which pairs, how sure",
  about: `
RUN is the folder that culprit run or culprit demo wrote, finished or not. The report is a folder with a page, index.html,
which opens in a browser by double click, without a server or a network, and can be copied or mailed as it is; with
--single-file it is one HTML file. docs/report.md shows its pages and says how to read them.

Of up to 20000 pairs all are listed, of more the top, the bottom and a sample. Paths of this machine, and values of its
environment that look like keys, are left out. The text of the pairs is read from where the experiment file has them; if
they have moved, --pairs names them. It is in the report: share a report as you would share the data. On a large
checkpoint --tokens 0 saves the time to shade tokens.

No stage of a run forecasts. What culprit forecast said of the same pairs on the same checkpoint is shown where --forecast
names its file; a forecast of others is refused.

--serve writes no report: it answers on 127.0.0.1 until Ctrl-C, also while the run is at work. There every pair is listed with its
text, tokens are shaded as they are asked for, and /api/openapi.json describes the same as JSON for scripts. Whoever
can log in on this machine can read it.

  culprit report culprit-out/demo-distractor --out report
  culprit report culprit-out/mine --out mine.html --single-file
  culprit report culprit-out/mine --out report --forecast scored.json
  culprit report culprit-out/mine --serve`,
  version: 1,
  inputs: {
    run: runInput,
    pairs: { ...pairsInput, isPositional: false, isOptional: true },
    forecast: forecastInput(
      "A forecast of the run's pairs, as culprit forecast writes it, scored or not: a page shows what was predicted beside what came.",
    ),
  },
  settings: z.strictObject({
    singleFile: z.boolean().default(false).describe("Write one HTML file instead of a folder."),
    serve: z
      .boolean()
      .default(false)
      .describe("Answer browsers on 127.0.0.1 until Ctrl-C instead of writing."),
    port: z.int().min(1).max(65_535).optional().describe("With --serve. Absent: a free one."),
    decisions: nonEmpty
      .optional()
      .describe(
        "With --serve: the file that decisions of the review are added to. Absent: decisions.jsonl in the run's folder.",
      ),
    tokens: z
      .int()
      .min(0)
      .max(100_000)
      .default(1000)
      .describe(
        "Pairs of the top whose tokens are shaded by what they add to the score, for which the checkpoint before is run; 0 for none.",
      ),
  }),
  outputs: {
    out: {
      artifact: { name: "report", files: (path) => [path] },
      placeholder: "FOLDER",
      describe: "The folder to write; with --single-file the file. Required without --serve.",
      isOptional: true,
      place: "either",
      // What is there is looked at by the report itself.
      isResumable: true,
    },
  },
  force: "Replace the report that is there.",
  check: ({ singleFile, serve, port, decisions }, given) => [
    ...need(serve || given.has("out"), ["out"], "expected a place for the report, or serve"),
    ...need(
      !serve || !given.has("out"),
      ["out"],
      "expected none beside serve, which writes nothing",
    ),
    ...need(!serve || !singleFile, ["singleFile"], "expected none beside serve"),
    ...need(serve || port === undefined, ["port"], "expected serve with it, got none"),
    ...need(serve || decisions === undefined, ["decisions"], "expected serve with it, got none"),
  ],
  run: async (
    { run, pairs, forecast },
    { singleFile, serve, port, decisions, tokens },
    work,
  ): Promise<Reported> => {
    const { out, isForced, signal, download, engines, note, warn } = work;
    if (out.out !== undefined) expectEnding(out.out, singleFile);
    const host = engines[0]!; // there is one at least
    const resolveRemote = (uri: string): Promise<readonly string[]> =>
      resolveDatasetFiles(uri, download);
    const reading = {
      given: pairs,
      forecast,
      resolveRemote,
      signal,
      progress: work.progress("pairs"),
    };
    if (out.out === undefined || serve) {
      if (decisions !== undefined) expectFilePlace("decisions", decisions, [run]);
      using _small = keepHeapSmall();
      const served = await serveReport(run, { ...reading, host, port, decisions, warn });
      note(`${served.url}  open it in a browser; Ctrl-C ends it`);
      await served.ended;
      return { kind: "served", url: served.url };
    }
    const made = await makeReport(run, {
      ...reading,
      out: out.out,
      isSingleFile: singleFile,
      isForced,
      tokens: { count: tokens, host, signal, progress: reading.progress },
    });
    return { kind: "written", ...made };
  },
  show: (result) => {
    if (result.kind === "served") return `${result.url} is not served any more`;
    const { index, bytes, pairs } = result;
    return [
      `${index}: ${(bytes / 1e6).toFixed(1)} MB, ${pairs.listed} of ${pairs.total} pairs, ${pairs.texts} with their text`,
      `open it in a browser: ${pathToFileURL(index).href}`,
    ].join("\n");
  },
  warnings: (result) => (result.kind === "served" ? [] : warningsOf(result)),
});

/** What was done: a report, or a server that has come to its end. */
type Reported =
  | ({ readonly kind: "written" } & MadeReport)
  | { readonly kind: "served"; readonly url: string };

function warningsOf({ textsAbsent, tokensAbsent, missing }: MadeReport): readonly string[] {
  return [
    ...(tokensAbsent === undefined || textsAbsent !== undefined
      ? []
      : [`tokens are not shaded: ${tokensAbsent}`]),
    ...(textsAbsent === undefined
      ? []
      : [`the text of the pairs is not in the report: ${textsAbsent}; --pairs names the files`]),
    ...(missing.length === 0
      ? []
      : [`the run has not ended, ${missing.length} stages are missing: culprit status shows them`]),
  ];
}

/** A page that a browser opens by double click has the ending of one, and a folder has not. */
function expectEnding(out: string, singleFile: boolean): void {
  if (/\.html?$/i.test(out) === singleFile) return;
  throw new ConfigError(
    singleFile
      ? `out: expected a name that ends in .html with --single-file, got ${out}`
      : `out: expected the name of a folder, got ${out}`,
    {
      hint: singleFile
        ? "Browsers open files by that ending."
        : "For one file give --single-file as well.",
    },
  );
}
