import type { Message } from "../../format/messages.ts";
import { ownField } from "../readers/file-row.ts";
import { withPromptText } from "./prompt-text.ts";
import { readText } from "./read-turns.ts";
import type { PairTurns, Shape } from "./shape.ts";
import { findSideColumns } from "./side-columns.ts";
import { afterPrompt, splitConversations } from "./split-conversations.ts";
import { isTranscript, parseTranscript } from "./transcript.ts";

/** Anthropic's hh-rlhf: transcripts as text, whole ones on both sides, or a prompt's transcript and two answers to it. */
export const hhRlhf: Shape = {
  describe: 'chosen and rejected as "\\n\\nHuman: … \\n\\nAssistant: …" transcripts',
  textColumns: ["prompt", "chosen", "rejected"],
  swap: findSideColumns,
  matches(fields) {
    const sides = [ownField(fields, "chosen"), ownField(fields, "rejected")];
    return (
      sides.every(isTranscript) ||
      (isTranscript(ownField(fields, "prompt")) && sides.every((side) => typeof side === "string"))
    );
  },
  read(fields): PairTurns {
    const chosen = readText(fields, "chosen");
    const rejected = readText(fields, "rejected");
    if (isTranscript(chosen) && isTranscript(rejected)) {
      // Whole on both sides: what they share is the prompt, whatever the prompt column repeats of it.
      const turns = splitConversations(
        parseTranscript(chosen, "chosen"),
        parseTranscript(rejected, "rejected"),
      );
      const text = ownField(fields, "prompt");
      return typeof text === "string" ? withPromptText(turns, text) : turns;
    }
    const prompt = parseTranscript(readText(fields, "prompt"), "prompt");
    return {
      prompt,
      chosen: afterPrompt(prompt, readSide(chosen, "chosen"), "chosen"),
      rejected: afterPrompt(prompt, readSide(rejected, "rejected"), "rejected"),
    };
  },
};

/** A whole transcript, or the rest of one that begins where the prompt's "Assistant:" left off. */
function readSide(text: string, column: string): readonly Message[] {
  if (isTranscript(text)) return parseTranscript(text, column);
  const isMarked = /^\s*Assistant:/.test(text);
  return parseTranscript(
    isMarked ? text : `Assistant:${text.startsWith(" ") ? "" : " "}${text}`,
    column,
  );
}
