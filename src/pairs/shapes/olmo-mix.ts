import { ownField, type RowFields } from "../readers/file-row.ts";
import { withPromptText } from "./prompt-text.ts";
import { isAbsent, isTurnList, readText, readTurns } from "./read-turns.ts";
import type { Shape } from "./shape.ts";
import { findSideColumns } from "./side-columns.ts";
import { splitConversations } from "./split-conversations.ts";

/**
 * OLMo's preference mixes (and UltraFeedback as binarised for Zephyr): whole conversations with the generators' names beside
 * them. The `prompt` text repeats a turn of the conversations and is not read, save where the sides hold the answer alone; one that
 * repeats none is named as unread.
 */
export const olmoMix: Shape = {
  describe:
    "chosen and rejected as message lists with a prompt text or chosen_model/rejected_model",
  textColumns: ["prompt", "chosen", "rejected", "messages"],
  swap: findSideColumns,
  matches(fields) {
    return (
      isTurnList(ownField(fields, "chosen")) &&
      isTurnList(ownField(fields, "rejected")) &&
      (typeof ownField(fields, "prompt") === "string" ||
        (isAbsent(fields, "prompt") && hasModelColumns(fields)))
    );
  },
  read(fields) {
    const chosen = readTurns(fields, "chosen");
    const rejected = readTurns(fields, "rejected");
    if (chosen[0]?.role === "assistant" && rejected[0]?.role === "assistant") {
      return { prompt: [{ role: "user", content: readText(fields, "prompt") }], chosen, rejected };
    }
    const turns = splitConversations(chosen, rejected);
    const text = ownField(fields, "prompt");
    return typeof text === "string" ? withPromptText(turns, text) : turns;
  },
};

/** Whether a row names the models that wrote its sides. */
export function hasModelColumns(fields: RowFields): boolean {
  return Object.hasOwn(fields, "chosen_model") || Object.hasOwn(fields, "rejected_model");
}
