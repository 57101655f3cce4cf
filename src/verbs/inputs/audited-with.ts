/** @file What pairs are audited with: a tokenizer, or two checkpoints and held-out pairs. */
import { z } from "zod";

import { localFolder } from "../../engine/local-host.ts";
import { UnusableExampleError } from "../../model/prompt-renderer-error.ts";
import { createRenderer, type RendererOptions } from "../../model/prompt-renderer.ts";
import type { AuditOptions, Refusal } from "../../pairs/audit-pairs.ts";
import type { TokenCounts } from "../../pairs/audit-truncation.ts";
import type { PairSet } from "../../pairs/open-pairs.ts";
import type { Input, OpenWork } from "../verb.ts";
import { type Checkpoint, checkpointInput, checkpointSettings } from "./checkpoint.ts";
import { pairsInput } from "./pairs.ts";

/** What a checkpoint's tokenizer and template make of pairs. */
type PairReader = Required<Pick<AuditOptions, "countTokens" | "findUnread" | "template">>;

const tokenizerSettings = checkpointSettings.pick({
  template: true,
  boundary: true,
  ignoreUnread: true,
});

/** A checkpoint of which only tokenizer and template are read. */
export const tokenizerInput = {
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

export const membershipInput = {
  ...checkpointInput,
  describe:
    "The checkpoint before training (M0): with after, whether the pairs belong to it; counts tokens too. A Hugging Face folder, or hf://owner/name@revision.",
  isOptional: true,
  open: (paths, options, work) => checkpointInput.open(paths, options, work),
} as const satisfies Input<Checkpoint, typeof checkpointInput.settings>;

const afterSettings = z.strictObject({
  afterAdapter: checkpointSettings.shape.adapter.meta({
    description: "A LoRA adapter to merge into the checkpoint after. Absent: none.",
    placeholder: "DIR",
  }),
});

export const afterInput = {
  ...checkpointInput,
  settings: afterSettings,
  describe:
    "The checkpoint that is said to be trained on the pairs (M1), opened as the one before.",
  isOptional: true,
  open: async (paths, { afterAdapter: adapter }, work) => {
    const options = { ...checkpointSettings.parse({}), adapter };
    const opened = await checkpointInput.open(paths, options, work);
    // Else M0 and M1 would have one name.
    return adapter === undefined ? opened : { ...opened, name: `${opened.name} with ${adapter}` };
  },
} as const satisfies Input<Checkpoint, typeof afterSettings>;

export const heldOutInput = {
  ...pairsInput,
  placeholder: "FILE",
  describe: "Pairs of the same kind that M1 was not trained on, of other prompts.",
  isPositional: false,
  isOptional: true,
  open: (paths, settings, work) => pairsInput.open(paths, settings, work),
} as const satisfies Input<PairSet, typeof pairsInput.settings>;

/** What the tokenizer and template of a checkpoint that is opened later make of pairs. */
export const readerOf = async (
  { folder, options }: Checkpoint,
  { download, warn }: OpenWork,
): Promise<PairReader> => pairReader(await localFolder(folder, download), options, warn);
