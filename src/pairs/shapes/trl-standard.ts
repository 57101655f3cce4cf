import { ownField, type RowFields } from "../readers/file-row.ts";
import { readResponse, readText } from "./read-turns.ts";
import type { Shape } from "./shape.ts";
import { findSideColumns } from "./side-columns.ts";
import { isTranscript } from "./transcript.ts";

/** TRL's standard format: the prompt is one user turn, the responses one assistant turn each. */
export const trlStandard: Shape = {
  describe: "prompt, chosen and rejected as text",
  textColumns: ["prompt", "chosen", "rejected"],
  swap: findSideColumns,
  matches: (fields) =>
    areTexts(fields) &&
    !isTranscript(ownField(fields, "prompt")) &&
    !isTranscript(ownField(fields, "chosen")),
  // As TRL, which takes a transcript for the text that it is.
  matchesAsNamed: areTexts,
  read(fields) {
    readText(fields, "chosen");
    readText(fields, "rejected");
    return {
      prompt: [{ role: "user", content: readText(fields, "prompt") }],
      chosen: readResponse(fields, "chosen"),
      rejected: readResponse(fields, "rejected"),
    };
  },
};

function areTexts(fields: RowFields): boolean {
  return ["prompt", "chosen", "rejected"].every(
    (column) => typeof ownField(fields, column) === "string",
  );
}
