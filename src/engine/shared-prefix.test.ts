import { describe, expect, it } from "vitest";

import type { TokenizedExample } from "./engine.ts";
import { sharedPrefixLength } from "./shared-prefix.ts";

const example = (...prompt: number[]): TokenizedExample => ({
  prompt: Int32Array.from(prompt),
  responses: [Int32Array.of(1)],
});
const many = (count: number, make: (i: number) => TokenizedExample): TokenizedExample[] =>
  Array.from({ length: count }, (_, i) => make(i));

describe("sharedPrefixLength", () => {
  it("is the longest start that every prompt has", () => {
    expect(
      sharedPrefixLength(
        many(300, (i) => example(4, 5, 6, i)),
        [],
      ),
    ).toBe(3);
    expect(
      sharedPrefixLength(
        many(300, (i) => (i === 299 ? example(4, 5) : example(4, 5, 6))),
        [],
      ),
    ).toBe(2);
    expect(
      sharedPrefixLength(
        many(600, () => example(9)),
        [],
      ),
    ).toBe(1);
  });

  it("is 0 where it saves little, or where nothing is shared", () => {
    expect(sharedPrefixLength([], [])).toBe(0);
    expect(sharedPrefixLength([example(1, 2, 3)], [])).toBe(0);
    expect(
      sharedPrefixLength(
        many(10, (i) => example(4, 5, 6, i)),
        [],
      ),
    ).toBe(0);
    expect(
      sharedPrefixLength(
        many(300, (i) => (i === 150 ? example(7) : example(4, 5, 6))),
        [],
      ),
    ).toBe(0);
  });

  it("is 0 where a dynamic rope's keys depend on what follows", () => {
    const dynamic = { kind: "dynamic", theta: 100, factor: 2, maxPositions: 16 } as const;
    const plain = { kind: "default", theta: 100 } as const;
    const examples = many(300, (i) => example(4, 5, 6, i));
    expect(sharedPrefixLength(examples, [plain])).toBe(3);
    expect(sharedPrefixLength(examples, [plain, dynamic])).toBe(3);
    const long = { ...example(4, 5, 6), responses: [new Int32Array(14)] };
    expect(sharedPrefixLength([...examples, long], [plain])).toBe(3);
    expect(sharedPrefixLength([...examples, long], [plain, dynamic])).toBe(0);
  });
});
