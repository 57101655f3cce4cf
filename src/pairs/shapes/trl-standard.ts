import { ownField } from "../readers/file-row.ts";
import { readResponse, readText } from "./read-turns.ts";
import type { Shape } from "./shape.ts";
import { findSideColumns } from "./side-columns.ts";
import { isTranscript } from "./transcript.ts";

/** TRL's standard format: the prompt is one user turn, the responses one assistant turn each. */
export const trlStandard: Shape = {
  describe: "prompt, chosen and rejected as text",
  textColumns: ["prompt", "chosen", "rejected"],
  swap: findSideColumns,
  matches(fields) {
    const [prompt, chosen, rejected] = ["prompt", "chosen", "rejected"].map((column) =>
      ownField(fields, column),
    );
    return (
      typeof prompt === "string" &&
      typeof chosen === "string" &&
      typeof rejected === "string" &&
      !isTranscript(prompt) &&
      !isTranscript(chosen)
    );
  },
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
