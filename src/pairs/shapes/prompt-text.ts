import type { Message } from "../../format/messages.ts";
import type { PairTurns } from "./shape.ts";

/**
 * The turns of a row that also has its prompt as a text, which public sets give as the first turn, the last or all of them. One that none
 * of the turns holds contradicts them: it is named as unread.
 */
export function withPromptText(turns: PairTurns, text: string): PairTurns {
  return isSaidIn(turns.prompt, text)
    ? turns
    : { ...turns, unread: ["a prompt text that is in none of its turns"] };
}

/** Whether a text is that of a turn or of several, or a part of one; white space aside. */
function isSaidIn(turns: readonly Message[], text: string): boolean {
  const said = squash(text);
  const contents = turns.map(({ content }) => squash(content));
  return (
    contents.some((content) => content !== "" && said.includes(content)) ||
    contents.join("").includes(said)
  );
}

/** Whether the turns have all of a text; white space aside. */
export const holdsText = (turns: readonly Message[], text: string): boolean =>
  turns
    .map(({ content }) => squash(content))
    .join("")
    .includes(squash(text));

const squash = (text: string): string => text.replaceAll(/\s+/gu, "");
