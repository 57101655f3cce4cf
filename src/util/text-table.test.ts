import { describe, expect, it } from "vitest";

import { printable, printableLines } from "./text-table.ts";

describe("printableLines", () => {
  it.each([
    ["ESC", "\u001B"],
    ["a C1 control", "\u009B"],
    ["a bidirectional override", "\u202E"],
  ])("shows %s as U+FFFD", (_, character) => {
    expect(printableLines(`a${character}[31mb`)).toBe("a\uFFFD[31mb");
  });

  it("keeps newlines, which printable does not", () => {
    expect(printableLines("one\n  two\u0007\n")).toBe("one\n  two\uFFFD\n");
    expect(printable("one\ntwo")).toBe("one\uFFFDtwo");
  });

  it("shortens each line by itself", () => {
    const [long, short] = printableLines(`${"x".repeat(3000)}\nend`).split("\n");
    expect(long).toBe(`${"x".repeat(1999)}…`);
    expect(short).toBe("end");
  });
});
