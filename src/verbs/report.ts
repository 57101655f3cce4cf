import { pathToFileURL } from "node:url";

import { z } from "zod";

import { resolveDatasetFiles } from "../hub/resolve-dataset-files.ts";
import { makeReport } from "../report/make-report.ts";
import { pairsInput } from "./inputs/pairs.ts";
import { defineVerb, type Input } from "./verb.ts";

const runInput = {
  kind: "run",
  placeholder: "RUN",
  describe: "One folder of a run, as culprit run writes it.",
  isPositional: true,
  open: ([path = ""]) => Promise.resolve(path),
} as const satisfies Input<string>;

export const report = defineVerb({
  name: "report",
  summary: "A page of a run that opens from disk: what happened, which pairs, how sure",
  about: `
RUN is the folder that culprit run or culprit demo wrote, finished or not. The report is a folder with a page, index.html,
which opens in a browser by double click, without a server or a network, and can be copied or mailed as it is; with
--single-file it is one HTML file. docs/report.md shows its pages and says how to read them.

Of up to 20000 pairs all are listed, of more the top, the bottom and a sample. Paths of this machine, and values of its
environment that look like keys, are left out. The text of the pairs is read from where the experiment file has them; if
they have moved, --pairs names them. It is in the report: share a report as you would share the data. On a large
checkpoint --tokens 0 saves the time to shade tokens.

  culprit report culprit-out/demo-distractor --out report
  culprit report culprit-out/mine --out mine.html --single-file`,
  version: 1,
  inputs: { run: runInput, pairs: { ...pairsInput, isPositional: false, isOptional: true } },
  settings: z.strictObject({
    singleFile: z.boolean().default(false).describe("Write one HTML file instead of a folder."),
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
      describe: "The folder to write; with --single-file the file.",
      // What is there is looked at by the report itself.
      isResumable: true,
    },
  },
  force: "Replace the report that is there.",
  run: ({ run, pairs }, { singleFile, tokens }, { out, isForced, signal, download, ...work }) =>
    makeReport(run, {
      out: out.out,
      isSingleFile: singleFile,
      isForced,
      given: pairs,
      tokens: {
        count: tokens,
        host: work.engines[0]!, // there is one at least
        signal,
        progress: work.progress("pairs"),
      },
      resolveRemote: (uri) => resolveDatasetFiles(uri, download),
      signal,
    }),
  show: ({ index, bytes, pairs: { total, listed, texts } }) =>
    [
      `${index}: ${(bytes / 1e6).toFixed(1)} MB, ${listed} of ${total} pairs, ${texts} with their text`,
      `open it in a browser: ${pathToFileURL(index).href}`,
    ].join("\n"),
  warnings: ({ textsAbsent, tokensAbsent, missing }) => [
    ...(tokensAbsent === undefined || textsAbsent !== undefined
      ? []
      : [`tokens are not shaded: ${tokensAbsent}`]),
    ...(textsAbsent === undefined
      ? []
      : [`the text of the pairs is not in the report: ${textsAbsent}; --pairs names the files`]),
    ...(missing.length === 0
      ? []
      : [`the run has not ended, ${missing.length} stages are missing: culprit status shows them`]),
  ],
});
