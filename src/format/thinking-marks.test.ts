import { describe, expect, it } from "vitest";

import {
  answerText,
  closesUnopened,
  endsInOpeningMark,
  endsWithinThinking,
  THINKING_MARKS,
} from "./thinking-marks.ts";

describe.each(THINKING_MARKS)("thinking between $open and $close", ({ open, close }) => {
  it("is no answer: what follows it is", () => {
    expect(answerText(`${open}How do I…${close}\n\nYes.`)).toBe("Yes.");
    expect(answerText(`How do I…${close}\nYes.`)).toBe("Yes.");
    expect(answerText(`a ${open} b ${close}\nYes.`, true)).toMatch(/Yes\.$/);
  });

  it("that never ends answers nothing, whoever opened it", () => {
    expect(answerText(`\n${open}how do I`)).toBe("");
    expect(answerText("how do I", true)).toBe("");
    expect(answerText(`${open}a${close}${open}b`)).toBe("");
    expect(answerText("how do I")).toBe("how do I");
  });

  it("is open at the end of a prompt until it is closed", () => {
    expect(endsWithinThinking(`assistant\n${open}\nOkay, `)).toBe(true);
    expect(endsWithinThinking(`assistant\n${open}\n\n${close}\n\n`)).toBe(false);
    expect(endsWithinThinking("assistant\n")).toBe(false);
    expect(endsInOpeningMark(`x ${open}\n`)).toBe(true);
    expect(endsInOpeningMark(`x ${open} y`)).toBe(false);
  });

  it("is told from an answer that speaks of both marks", () => {
    expect(closesUnopened(`a${close}b`)).toBe(true);
    expect(closesUnopened(`${open}a${close}b`)).toBe(false);
  });
});

describe("marks that ordinary texts have too", () => {
  it("cut nothing off in the middle of an answer", () => {
    const answer = "Write <reasoning>why</reasoning> and then the result.";
    expect(answerText(answer)).toBe(answer);
  });
});
