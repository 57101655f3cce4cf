import { isSameTurn, type Message, turnText } from "../../format/messages.ts";
import { RowProblem } from "./shape.ts";
import { isQuestion } from "./split-conversations.ts";

/**
 * Checks that two responses to a prompt can be compared: the prompt ends with a question, each response starts and ends with
 * the assistant and says something, and they differ. Contents are compared byte for byte. Throws RowProblem.
 */
export function checkPair(
  prompt: readonly Message[],
  sides: readonly { readonly name: string; readonly turns: readonly Message[] }[],
): void {
  const last = prompt.at(-1);
  if (
    last === undefined ||
    !prompt.some((turn) => isQuestion(turn) && !isBlankText(turnText(turn)))
  ) {
    throw new RowProblem("empty-prompt", "prompt: expected a question, got no text");
  }
  if (!isQuestion(last)) {
    throw new RowProblem(
      "turn-order",
      `prompt: expected a user's or tool's turn last, got ${last.role}`,
    );
  }
  for (const { name, turns } of sides) checkSide(name, turns);
  const [first, second] = sides;
  if (first !== undefined && second !== undefined && isSame(first.turns, second.turns)) {
    throw new RowProblem(
      "identical-sides",
      `${first.name} and ${second.name}: expected two different responses, got the same`,
    );
  }
}

function checkSide(name: string, turns: readonly Message[]): void {
  if (turns.every((turn) => turn.role !== "assistant" || isBlankText(saidText(turn)))) {
    throw new RowProblem("empty-side", `${name}: expected a response, got no text`);
  }
  const outside = [turns[0], turns.at(-1)].find((turn) => turn?.role !== "assistant");
  if (outside !== undefined) {
    throw new RowProblem(
      "turn-order",
      `${name}: expected the assistant's turn first and last, got ${outside.role}`,
    );
  }
}

function isSame(a: readonly Message[], b: readonly Message[]): boolean {
  return a.length === b.length && a.every((turn, i) => isSameTurn(turn, b[i]!));
}

/** Words and calls; a turn of reasoning alone is no answer. */
function saidText(turn: Message): string {
  return turn.whole?.["tool_calls"] === undefined ? turn.content : turnText(turn);
}

function isBlankText(text: string): boolean {
  return text.trim() === "";
}
