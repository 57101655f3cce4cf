import { ownField, type RowFields } from "../readers/file-row.ts";
import { isTurn, isTurnList, readResponse, readTurns } from "./read-turns.ts";
import type { Shape } from "./shape.ts";
import { findSideColumns } from "./side-columns.ts";
import { afterPrompt } from "./split-conversations.ts";

/** ShareGPT as LLaMA-Factory uses it for preferences: the conversation so far, and one turn for each side. */
export const sharegpt: Shape = {
  describe: "conversations as a turn list, chosen and rejected as one turn each",
  textColumns: ["conversations", "messages", "chosen", "rejected"],
  swap: findSideColumns,
  matches(fields) {
    const sides = [ownField(fields, "chosen"), ownField(fields, "rejected")];
    // With `messages` other data sets mean something else: single turns on both sides tell.
    return Object.hasOwn(fields, "conversations")
      ? isTurnList(ownField(fields, "conversations")) &&
          sides.every((side) => isTurn(side) || isTurnList(side) || typeof side === "string")
      : isTurnList(ownField(fields, "messages")) && sides.every(isTurn);
  },
  read(fields) {
    const prompt = readTurns(fields, conversationColumn(fields));
    return {
      prompt,
      chosen: afterPrompt(prompt, readResponse(fields, "chosen"), "chosen"),
      rejected: afterPrompt(prompt, readResponse(fields, "rejected"), "rejected"),
    };
  },
};

function conversationColumn(fields: RowFields): string {
  return Object.hasOwn(fields, "conversations") ? "conversations" : "messages";
}
