const OPEN = "<think>";
/** How thinking ends. */
export const CLOSE = "</think>";

/**
 * A text without the thinking that some models put before it: what follows the last `</think>`, trimmed. Thinking that never ends is all
 * there is: "". `isOpened`: the prompt opened it.
 */
export function answerText(text: string, isOpened = false): string {
  const end = text.lastIndexOf(CLOSE);
  if (end !== -1) return text.slice(end + CLOSE.length).trim();
  const whole = text.trim();
  return isOpened || whole.startsWith(OPEN) ? "" : whole;
}

/** Why a response without a text of its own cannot be judged. */
export function emptyCause(text: string): string {
  return text.trim() === "" ? "empty response" : "no response after the thinking";
}
