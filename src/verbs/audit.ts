import { z } from "zod";

import { findMembership } from "../membership/find-membership.ts";
import { MEASURED_NAME, writeMeasured } from "../membership/write-measured.ts";
import { type AuditOptions, auditPairs } from "../pairs/audit-pairs.ts";
import { AUDIT } from "../pairs/audit-report.ts";
import { openUnusableFile } from "../pairs/unusable-file.ts";
import { TABLE_ENDINGS } from "../ranking/write-table.ts";
import { count, seed } from "../util/setting-kinds.ts";
import {
  afterInput,
  heldOutInput,
  membershipInput,
  readerOf,
  tokenizerInput,
} from "./inputs/audited-with.ts";
import { pairsInput } from "./inputs/pairs.ts";
import { openScoringModels } from "./inputs/scoring-models.ts";
import { fileNamed, resultOutput } from "./outputs.ts";
import { by } from "./settings/common.ts";
import { formatAudit } from "./show/audit.ts";
import { defineVerb, need } from "./verb.ts";

/** Pairs measured of either side: an accuracy is then known to 2 or 3 points. */
const SAMPLE = 2000;

export const audit = defineVerb({
  name: "audit",
  summary:
    "What is in preference pairs: sources, duplicates, lengths; and whether a checkpoint was trained on them",
  about: `
PAIRS are files of preference pairs (JSONL, JSONL.gz, JSON, Parquet, CSV; globs in quotes; hf://datasets/owner/name/path).

Reads them once, without any model, and prints rows, unusable rows by reason, sources and generators, duplicates and
contradictory labels, near-identical sides, length of chosen against rejected, truncation, turns and scripts, and warnings.
With a checkpoint, lengths and truncation are in its tokens as well, and what its template does not show or shows in part,
prompts that were rendered already, and tokens that join across the start of a response are counted.

With --before M0 --after M1 it also says whether M1 was trained on the pairs: how often M1 against M0 prefers the chosen
response (DPO's implicit reward, also per token), beside --held-out pairs of the same kind, and a verdict in one sentence. A
model with the same taste prefers the chosen response of both; one that was trained on the pairs does so by larger margins.
Without held-out pairs only the claimed side is known, and the verdict says so. By source: the drift of the log-probability of
chosen and rejected responses, how many chosen ones became less likely, and CHES (likelihood displacement, arXiv 2410.08847).
Pairs of one prompt count as one draw in every interval.

  culprit audit pairs.jsonl.gz
  culprit audit "mix/*.parquet" --checkpoint ./sft --max-tokens 2048 --out audit.json
  culprit audit mix.parquet --before ./sft --after ./dpo --held-out other.parquet --measured measured.parquet`,
  version: 6,
  inputs: {
    pairs: pairsInput,
    checkpoint: tokenizerInput,
    before: membershipInput,
    after: afterInput,
    heldOut: heldOutInput,
  },
  settings: z.strictObject({
    sample: count
      .optional()
      .describe(
        `Pairs of either side that the checkpoints are asked about, drawn by the seed where there are more. Absent: ${SAMPLE}.`,
      ),
    seed: seed.optional().describe("Seed of the sample. Absent: 0."),
    by: by.describe("Kept column that counts as the source. Absent: source, where there is one."),
    maxTokens: count
      .optional()
      .describe(
        "Prompt and response together, in tokens: reports what would be cut; without a checkpoint tokens are estimated at 4 characters each. Absent: no such report.",
      ),
  }),
  check: ({ sample, seed: drawn, by: column }, given) => [
    ...need(
      given.has("before") === given.has("after"),
      [given.has("before") ? "after" : "before"],
      "expected both checkpoints, before and after, or neither",
    ),
    ...need(
      !given.has("before") || !given.has("checkpoint"),
      ["checkpoint"],
      "expected before alone, whose tokenizer counts the tokens, got both",
    ),
    ...Object.entries({
      heldOut: given.has("heldOut"),
      measured: given.has("measured"),
      sample: sample !== undefined,
      seed: drawn !== undefined,
      by: column !== undefined,
    }).flatMap(([name, isGiven]) =>
      need(
        given.has("before") || !isGiven,
        [name],
        "expected the checkpoints before and after with it, got none",
      ),
    ),
  ],
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
    measured: {
      artifact: fileNamed(MEASURED_NAME),
      placeholder: "FILE",
      describe: `What the checkpoints make of each pair, a row each; the ending says how: ${TABLE_ENDINGS.join(", ")}.`,
      endings: TABLE_ENDINGS,
      isOptional: true,
    },
  },
  run: async ({ pairs, checkpoint, ...of }, settings, work) => {
    const { out, signal, progress } = work;
    const { maxTokens } = settings;
    const reader = checkpoint ?? (of.before && (await readerOf(of.before, work)));
    const options = { ...reader, maxTokens, signal, progress: progress("rows") };
    const report = await listingUnusable(out.unusable, (onUnusable) =>
      auditPairs(pairs, { ...options, onUnusable }),
    );
    const { before, after } = of;
    if (before === undefined || after === undefined) return report; // check
    await using models = await openScoringModels(before, after, {
      threads: before.options.threads,
      warn: work.warn,
    });
    const { checkpoint: m0, trained: m1 } = models.sources;
    const found = await findMembership(pairs, {
      before: m0!, // both were given
      after: m1!,
      heldOut: of.heldOut,
      sample: settings.sample ?? SAMPLE,
      seed: settings.seed ?? 0,
      by: settings.by,
      signal,
      progress: progress("pairs"),
      count: ({ tokens = 0, flops = 0 }) => tokens > 0 && work.cost.add(tokens, flops / tokens),
    });
    if (out.measured !== undefined) {
      await writeMeasured(out.measured, { ...found, by: found.membership.by });
    }
    return { ...report, membership: found.membership };
  },
  show: formatAudit,
});

/** Lists unusable rows in the file, where one is wanted, while `read` goes over them. */
async function listingUnusable<T>(
  path: string | undefined,
  read: (onUnusable: AuditOptions["onUnusable"]) => Promise<T>,
): Promise<T> {
  if (path === undefined) return read(undefined);
  const file = openUnusableFile(path);
  try {
    const found = await read((row) => file.add(row));
    await file.close();
    return found;
  } catch (error) {
    await file.discard();
    throw error;
  }
}
