import { ownField } from "../readers/file-row.ts";
import { hasModelColumns } from "./olmo-mix.ts";
import { isAbsent, isTurnList, readTurns } from "./read-turns.ts";
import type { Shape } from "./shape.ts";
import { findSideColumns } from "./side-columns.ts";
import { splitConversations } from "./split-conversations.ts";

/** TRL's implicit prompt: chosen and rejected are whole conversations that share their first turns. */
export const implicitPrompt: Shape = {
  describe: "chosen and rejected as whole conversations and no prompt",
  textColumns: ["prompt", "chosen", "rejected"],
  swap: findSideColumns,
  matches(fields) {
    return (
      isAbsent(fields, "prompt") &&
      isTurnList(ownField(fields, "chosen")) &&
      isTurnList(ownField(fields, "rejected")) &&
      !hasModelColumns(fields)
    );
  },
  read(fields) {
    return splitConversations(readTurns(fields, "chosen"), readTurns(fields, "rejected"));
  },
};
