import { z } from "zod";

import { localFolder } from "../engine/local-host.ts";
import { UnusableExampleError } from "../model/prompt-renderer-error.ts";
import { createRenderer, type RendererOptions } from "../model/prompt-renderer.ts";
import { type AuditOptions, auditPairs, type Refusal } from "../pairs/audit-pairs.ts";
import { AUDIT } from "../pairs/audit-report.ts";
import type { TokenCounts } from "../pairs/audit-truncation.ts";
import { openUnusableFile } from "../pairs/unusable-file.ts";
import { count } from "../util/setting-kinds.ts";
import { checkpointSettings } from "./inputs/checkpoint.ts";
import { pairsInput } from "./inputs/pairs.ts";
import { fileNamed, resultOutput } from "./outputs.ts";
import { formatAudit } from "./show/audit.ts";
import { defineVerb, type Input } from "./verb.ts";

/** What a checkpoint's tokenizer and template make of pairs. */
type PairReader = Required<Pick<AuditOptions, "countTokens" | "findUnread" | "template">>;

const tokenizerSettings = checkpointSettings.pick({
  template: true,
  boundary: true,
  ignoreUnread: true,
});

/** A checkpoint of which only tokenizer and template are read. */
const tokenizerInput = {
  kind: "checkpoint",
  placeholder: "DIR",
  describe:
    "Counts tokens with this checkpoint's tokenizer and template: a Hugging Face folder, or hf://owner/name@revision.",
  isOptional: true,
  settings: tokenizerSettings,
  open: async ([name = ""], settings, { download, warn }) =>
    pairReader(await localFolder(name, download), settings, warn),
} as const satisfies Input<PairReader, typeof tokenizerSettings>;

/** Reads pairs as the checkpoint in `folder` would; `warn` hears what is odd about its tokenizer. */
async function pairReader(
  folder: string,
  options: RendererOptions,
  warn: (line: string) => void,
): Promise<PairReader> {
  const renderer = await createRenderer(folder, { ...options, onWarning: warn });
  for (const line of renderer.tokenizer.warnings) warn(line);
  return {
    template: renderer.template,
    findUnread: ({ prompt, chosen, rejected, context }) =>
      unlessUnusable(
        () => renderer.findUnread(prompt, [chosen, rejected], context),
        () => [],
      ),
    countTokens: ({ prompt, chosen, rejected, context }) =>
      unlessUnusable<TokenCounts | Refusal>(
        () => {
          const tokens = renderer.tokenize(prompt, [chosen, rejected], context);
          const [chosenTokens, rejectedTokens] = tokens.responses;
          return {
            prompt: tokens.prompt.length,
            chosen: chosenTokens!.length,
            rejected: rejectedTokens!.length,
            lostPromptTokens: tokens.lostPromptTokens,
            holdsMarks: tokens.holdsMarks,
            hidden: tokens.hidden,
          };
        },
        (refusal) => ({ refusal }),
      ),
  };
}

/** What `otherwise` makes of the reason for a pair that is counted and warned about: `embed` will list it as unusable. */
function unlessUnusable<T>(read: () => T, otherwise: (reason: string) => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnusableExampleError) return otherwise(error.message);
    throw error;
  }
}

export const audit = defineVerb({
  name: "audit",
  summary: "What is in preference pairs: sources, duplicates, lengths, truncation",
  about: `
PAIRS are files of preference pairs (JSONL, JSONL.gz, JSON, Parquet, CSV; globs in quotes; hf://datasets/owner/name/path).

Reads them once, without any model, and prints rows, unusable rows by reason, sources and generators, duplicates and
contradictory labels, near-identical sides, length of chosen against rejected, truncation, turns and scripts, and warnings.
With a checkpoint, lengths and truncation are in its tokens as well, and what its template does not show or shows in part,
prompts that were rendered already, and tokens that join across the start of a response are counted.

  culprit audit pairs.jsonl.gz
  culprit audit "mix/*.parquet" --checkpoint ./sft --max-tokens 2048 --out audit.json`,
  version: 3,
  inputs: { pairs: pairsInput, checkpoint: tokenizerInput },
  settings: z.strictObject({
    maxTokens: count
      .optional()
      .describe(
        "Prompt and response together, in tokens: reports what would be cut; without a checkpoint tokens are estimated at 4 characters each. Absent: no such report.",
      ),
  }),
  outputs: {
    out: {
      ...resultOutput(AUDIT, "Writes the report as JSON."),
      endings: [".json"],
      placeholder: "FILE.json",
    },
    unusable: {
      artifact: fileNamed("unusable.jsonl"),
      placeholder: "FILE.jsonl",
      describe:
        "Lists the unusable rows with file, row number and reason. Default: beside --out, as FILE.unusable.jsonl.",
      endings: [".jsonl"],
      isOptional: true,
      beside: (out: string) => out.replace(/\.json$/, ".unusable.jsonl"),
    },
  },
  run: async ({ pairs, checkpoint }, { maxTokens }, { out, signal, progress }) => {
    const options = { ...checkpoint, maxTokens, signal, progress: progress("rows") };
    if (out.unusable === undefined) return auditPairs(pairs, options);
    const file = openUnusableFile(out.unusable);
    try {
      const report = await auditPairs(pairs, { ...options, onUnusable: (row) => file.add(row) });
      await file.close();
      return report;
    } catch (error) {
      await file.discard();
      throw error;
    }
  },
  show: formatAudit,
});
