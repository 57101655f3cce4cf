import { isSameTurn, type Message } from "../../format/messages.ts";
import { type PairTurns, RowProblem } from "./shape.ts";

/**
 * Two whole conversations as a prompt (the turns they share, up to a turn of the user or a tool) and what each says after it.
 * They may differ in more than the last turn; they may not differ in what they answer to.
 * Throws RowProblem `identical-sides` or `different-prompts`.
 */
export function splitConversations(
  chosen: readonly Message[],
  rejected: readonly Message[],
): PairTurns {
  if (chosen.length === 0 || rejected.length === 0) {
    const side = chosen.length === 0 ? "chosen" : "rejected";
    throw new RowProblem("empty-side", `${side}: expected a conversation, got no turns`);
  }
  let shared = 0;
  while (
    shared < chosen.length &&
    shared < rejected.length &&
    isSameTurn(chosen[shared]!, rejected[shared]!)
  ) {
    shared++;
  }
  const [next, other] = [chosen[shared], rejected[shared]];
  if (next === undefined && other === undefined) {
    throw new RowProblem("identical-sides", "expected two different responses, got the same");
  }
  if (next !== undefined && other !== undefined) requireAnswers([next, other], shared);
  // Back to the last question: a side that only goes on longer shares answers with the other one.
  while (shared > 0 && !isQuestion(chosen[shared - 1]!)) shared--;
  if (shared === 0) {
    throw new RowProblem("different-prompts", "expected a shared user turn, got none");
  }
  return {
    prompt: chosen.slice(0, shared),
    chosen: chosen.slice(shared),
    rejected: rejected.slice(shared),
  };
}

function requireAnswers(turns: readonly Message[], index: number): void {
  const question = turns.find((turn) => turn.role !== "assistant");
  if (question === undefined) return;
  throw new RowProblem(
    "different-prompts",
    `turn ${index + 1}: expected the sides to differ first in an assistant's turn, got a ${question.role} turn`,
  );
}

/**
 * What a side adds after a prompt that is given by itself: the side as it is where it starts with the assistant, or without
 * the prompt where it repeats it. Throws RowProblem `different-prompts`.
 */
export function afterPrompt(
  prompt: readonly Message[],
  side: readonly Message[],
  column: string,
): readonly Message[] {
  if (side[0] === undefined || side[0].role === "assistant") return side;
  if (side.length >= prompt.length && prompt.every((turn, i) => isSameTurn(turn, side[i]!))) {
    return side.slice(prompt.length);
  }
  throw new RowProblem(
    "different-prompts",
    `${column}: expected an assistant's turn or the prompt's own turns first, got another ${side[0].role} turn`,
  );
}

/** Whether the assistant may speak next. */
export function isQuestion(turn: Message): boolean {
  return turn.role === "user" || turn.role === "tool";
}
