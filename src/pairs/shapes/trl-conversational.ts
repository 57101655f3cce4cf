import { ownField } from "../readers/file-row.ts";
import { isTurn, isTurnList, readResponse, readTurns } from "./read-turns.ts";
import type { Shape } from "./shape.ts";
import { findSideColumns } from "./side-columns.ts";
import { afterPrompt } from "./split-conversations.ts";

/** TRL's conversational format; a response may also be one turn or plain text, and may repeat the prompt's turns. */
export const trlConversational: Shape = {
  describe: "prompt, chosen and rejected as message lists",
  textColumns: ["prompt", "chosen", "rejected"],
  swap: findSideColumns,
  matches(fields) {
    return (
      isTurnList(ownField(fields, "prompt")) &&
      ["chosen", "rejected"].every((column) => {
        const side = ownField(fields, column);
        return typeof side === "string" || isTurn(side) || isTurnList(side);
      })
    );
  },
  read(fields) {
    const prompt = readTurns(fields, "prompt");
    return {
      prompt,
      chosen: afterPrompt(prompt, readResponse(fields, "chosen"), "chosen"),
      rejected: afterPrompt(prompt, readResponse(fields, "rejected"), "rejected"),
    };
  },
};
