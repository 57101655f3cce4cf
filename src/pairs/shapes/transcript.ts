import type { Message } from "../../format/messages.ts";
import { RowProblem } from "./shape.ts";

/** A turn's start: on a line of its own after a blank line, or at the very start of the text. */
const MARKER = /(?:^\s*|\n\n)(Human|Assistant):/g;

/** Whether a text is a transcript of the hh-rlhf kind: "\n\nHuman: … \n\nAssistant: …", with or without the first blank line. */
export function isTranscript(text: unknown): boolean {
  return typeof text === "string" && /^\s*Human:/.test(text);
}

/**
 * The turns of a transcript. A content is what stands between its marker and the next one, byte for byte, without the one
 * space that the format writes after the colon; blanks at its end are the turn's own and stay. A last "Assistant:" with
 * nothing after it is where the response goes, not a turn. Throws RowProblem where text stands before the first marker.
 */
export function parseTranscript(text: string, column: string): readonly Message[] {
  const markers = [...text.matchAll(MARKER)];
  if (markers[0]?.index !== 0) {
    throw new RowProblem("wrong-type", `${column}: expected "Human:" first, got other text`);
  }
  const turns = markers.map((marker, i): Message => {
    const start = marker.index + marker[0].length;
    const content = text.slice(start, markers[i + 1]?.index ?? text.length);
    return {
      role: marker[1] === "Human" ? "user" : "assistant",
      content: content.startsWith(" ") ? content.slice(1) : content,
    };
  });
  const last = turns.at(-1);
  return last?.role === "assistant" && last.content.trim() === "" ? turns.slice(0, -1) : turns;
}
