import { downloadCheckpoint } from "../../hub/download-checkpoint.ts";
import { isHubUri } from "../../hub/hub-uri.ts";
import { UnusableExampleError } from "../../model/prompt-renderer-error.ts";
import { createRenderer } from "../../model/prompt-renderer.ts";
import { type AuditOptions, auditPairs } from "../../pairs/audit-pairs.ts";
import type { AuditReport } from "../../pairs/audit-report.ts";
import { openPairs, type PairSet } from "../../pairs/open-pairs.ts";
import { openUnusableFile } from "../../pairs/unusable-file.ts";
import { writeFileAtomic } from "../../util/atomic-file.ts";
import { ConfigError } from "../../util/errors.ts";
import { formatAudit } from "../../verbs/show/audit.ts";
import type { Command, CommandContext, ParsedArguments } from "../command.ts";
import { expectFlagsOfWay } from "../flag-ways.ts";
import { checkOutputFiles } from "../output-files.ts";
import { PAIR_FLAGS, readPairOptions } from "../pair-flags.ts";
import { requiredPositionals } from "../required.ts";

export const auditCommand: Command = {
  name: "audit",
  summary: "What is in preference pairs: sources, duplicates, lengths, truncation",
  positionals: "PAIRS...",
  description: `
PAIRS are files of preference pairs (JSONL, JSONL.gz, JSON, Parquet, CSV; globs in quotes; hf://datasets/owner/name/path).

Reads them once, without any model, and prints rows, unusable rows by reason, sources and generators, duplicates and
contradictory labels, near-identical sides, length of chosen against rejected, truncation, turns and scripts, and warnings.
With a checkpoint, lengths and truncation are in its tokens as well.

  culprit audit pairs.jsonl.gz
  culprit audit "mix/*.parquet" --checkpoint ./sft --max-tokens 2048 --out audit.json`,
  flags: {
    ...PAIR_FLAGS,
    "max-tokens": {
      type: "string",
      value: "N",
      describe:
        "Prompt and response together, in tokens: reports what would be cut. Without --checkpoint tokens are estimated at 4 characters each. Default: no such report.",
    },
    checkpoint: {
      type: "string",
      value: "DIR",
      describe:
        "Counts tokens with this checkpoint's tokenizer and template: a Hugging Face folder, or hf://owner/name@revision. Default: none.",
    },
    template: {
      type: "string",
      value: "KIND",
      describe:
        "chat: the checkpoint's own chat template (default). raw: the turns joined by newlines.",
    },
    out: {
      type: "string",
      value: "FILE.json",
      describe: "Writes the report as JSON. Default: none.",
    },
    unusable: {
      type: "string",
      value: "FILE.jsonl",
      describe:
        "Lists the unusable rows with file, row number and reason. Default: beside --out, as FILE.unusable.jsonl.",
    },
    force: { type: "boolean", describe: "Replace existing --out and --unusable." },
  },
  run,
};

async function run(args: ParsedArguments, context: CommandContext): Promise<void> {
  const patterns = requiredPositionals(args, "audit", "files of preference pairs");
  expectFlagsOfWay(args, [
    { name: "--checkpoint", isOn: args.text("checkpoint") !== undefined, flags: ["template"] },
  ]);
  const maxTokens = args.integer("max-tokens", { min: 1 });
  const out = outputPath(args, "out", ".json");
  const unusable =
    outputPath(args, "unusable", ".jsonl") ?? out?.replace(/\.json$/, ".unusable.jsonl");
  const outputs = [out, unusable].filter((path) => path !== undefined);
  const check = (inputs: readonly string[]): void => {
    const [first, ...others] = outputs;
    if (first === undefined) return;
    checkOutputFiles([first, ...others], { isForced: args.has("force"), inputs });
  };
  check([]); // what --force lacks is found before anything is downloaded
  const countTokens = await tokenCounter(args, context);

  const pairs = await openPairs(patterns, readPairOptions(args, context));
  check(pairs.files.map(({ path }) => path));
  context.log(`${pairs.files.length} file(s), shape ${pairs.shapeReason}`);
  const report = await auditInto(pairs, unusable, {
    countTokens,
    maxTokens,
    signal: context.signal,
    progress: context.progress("audit", "rows"),
  });
  const json = JSON.stringify(report, undefined, 2);
  if (out !== undefined) await writeFileAtomic(out, `${json}\n`);
  context.print(args.has("json") ? json : formatAudit(report, { out, unusable }));
}

/** Audits, and lists the unusable rows in a file where one is wanted. */
async function auditInto(
  pairs: PairSet,
  path: string | undefined,
  options: AuditOptions,
): Promise<AuditReport> {
  if (path === undefined) return auditPairs(pairs, options);
  const file = openUnusableFile(path);
  try {
    const report = await auditPairs(pairs, { ...options, onUnusable: (row) => file.add(row) });
    await file.close();
    return report;
  } catch (error) {
    await file.discard();
    throw error;
  }
}

async function tokenCounter(
  args: ParsedArguments,
  context: CommandContext,
): Promise<AuditOptions["countTokens"]> {
  const template = args.choice("template", ["chat", "raw"]) ?? "chat";
  const checkpoint = args.text("checkpoint");
  if (checkpoint === undefined) return undefined;
  const dir = isHubUri(checkpoint)
    ? await downloadCheckpoint(checkpoint, {
        signal: context.signal,
        progress: context.progress("download", "bytes"),
      })
    : checkpoint;
  const renderer = await createRenderer(dir, { template });
  return ({ prompt, chosen, rejected }) => {
    try {
      const tokens = renderer.tokenize(prompt, [chosen, rejected]);
      const [chosenTokens, rejectedTokens] = tokens.responses;
      return {
        prompt: tokens.prompt.length,
        chosen: chosenTokens!.length,
        rejected: rejectedTokens!.length,
      };
    } catch (error) {
      // Counted and warned about: `embed` will list the pair as unusable.
      if (error instanceof UnusableExampleError) return undefined;
      throw error;
    }
  };
}

function outputPath(args: ParsedArguments, flag: string, ending: string): string | undefined {
  const path = args.text(flag);
  if (path !== undefined && !path.endsWith(ending)) {
    throw new ConfigError(`--${flag}: expected a name ending in ${ending}, got "${path}"`);
  }
  return path;
}
