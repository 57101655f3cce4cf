/** A text without the thinking that some models put before it: what follows the last `</think>`, trimmed. */
export function answerText(text: string): string {
  const end = text.lastIndexOf("</think>");
  return (end === -1 ? text : text.slice(end + "</think>".length)).trim();
}
