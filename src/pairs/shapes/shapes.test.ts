import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Message, Role } from "../../format/messages.ts";
import { checkPair } from "./check-pair.ts";
import { readRow } from "./read-row.ts";
import { RowProblem } from "./shape.ts";
import { PAIR_SHAPES, type PairShape, SHAPES } from "./shapes.ts";
import { exchangeSides } from "./side-columns.ts";
import { parseTranscript } from "./transcript.ts";

const turn = (role: Role, content: string): Message => ({ role, content });
const user = (content: string): Message => turn("user", content);
const assistant = (content: string): Message => turn("assistant", content);

/** What becomes of a row: its turns, or the reason it is unusable. */
function readAs(shape: PairShape, fields: Record<string, unknown>): unknown {
  try {
    const turns = readRow(shape, fields);
    checkPair(turns.prompt, [
      { name: "chosen", turns: turns.chosen },
      { name: "rejected", turns: turns.rejected },
    ]);
    return turns;
  } catch (error) {
    if (error instanceof RowProblem) return error.reason;
    throw error;
  }
}

const ROWS: { readonly [S in PairShape]: Record<string, unknown> } = {
  "trl-standard": { prompt: "q", chosen: " yes\n", rejected: "no" },
  "trl-conversational": {
    prompt: [turn("system", "s"), user("q")],
    chosen: [assistant(" yes\n")],
    rejected: [assistant("no")],
  },
  "implicit-prompt": {
    chosen: [turn("system", "s"), user("q"), assistant(" yes\n")],
    rejected: [turn("system", "s"), user("q"), assistant("no")],
  },
  "olmo-mix": {
    id: "1",
    source: "x",
    prompt: "q",
    chosen: [user("q"), assistant(" yes\n")],
    rejected: [user("q"), assistant("no")],
    chosen_model: "a",
    rejected_model: "b",
  },
  "hh-rlhf": {
    chosen: "\n\nHuman: q\n\nAssistant:  yes\n",
    rejected: "\n\nHuman: q\n\nAssistant: no",
  },
  sharegpt: {
    system: "s",
    conversations: [{ from: "human", value: "q" }],
    chosen: { from: "gpt", value: " yes\n" },
    rejected: { from: "gpt", value: "no" },
  },
};

describe.each(PAIR_SHAPES)("%s", (shape) => {
  it("reads its own rows, contents byte for byte, and system turns", () => {
    const hasSystem = JSON.stringify(ROWS[shape]).includes('"s"');
    expect(readAs(shape, ROWS[shape])).toEqual({
      prompt: [...(hasSystem ? [turn("system", "s")] : []), user("q")],
      chosen: [assistant(" yes\n")],
      rejected: [assistant("no")],
    });
  });

  it("is the only shape that its rows match", () => {
    expect(PAIR_SHAPES.filter((each) => SHAPES[each].matches(ROWS[shape]))).toEqual([shape]);
  });

  it("does not match or read an empty row", () => {
    expect(SHAPES[shape].matches({})).toBe(false);
    expect(readAs(shape, {})).toBe("missing-field");
  });

  it("says which columns change places where the sides do", () => {
    const row = ROWS[shape];
    const swapped = exchangeSides(row, SHAPES[shape].swap(Object.keys(row)));
    const { prompt, chosen, rejected } = SHAPES[shape].read(row);
    expect(SHAPES[shape].read(swapped)).toEqual({ prompt, chosen: rejected, rejected: chosen });
    expect(SHAPES[shape].swap(["prompt"])).toEqual([]);
  });

  it("reads only what a row itself has, not what its prototype has", () => {
    const inherited = Object.create(ROWS[shape]) as Record<string, unknown>;
    expect(SHAPES[shape].matches(inherited)).toBe(false);
    expect(readAs(shape, inherited)).toBe("missing-field");
  });
});

describe("turns", () => {
  const pair = (prompt: unknown, chosen: unknown, rejected: unknown): unknown =>
    readAs("trl-conversational", { prompt, chosen, rejected });

  it("keeps tool turns, several response turns and text parts", () => {
    expect(
      readAs("sharegpt", {
        conversations: [
          { from: "human", value: "q" },
          { from: "function_call", value: "f()" },
          { from: "observation", value: "3" },
        ],
        chosen: {
          role: "assistant",
          content: [
            { type: "text", text: "a" },
            { type: "text", text: "b" },
          ],
        },
        rejected: [
          { from: "gpt", value: "c" },
          { from: "human", value: "d" },
          { from: "gpt", value: "e" },
        ],
      }),
    ).toEqual({
      prompt: [user("q"), assistant("f()"), turn("tool", "3")],
      chosen: [
        {
          ...assistant("ab"),
          whole: {
            role: "assistant",
            content: [
              { type: "text", text: "a" },
              { type: "text", text: "b" },
            ],
          },
        },
      ],
      rejected: [assistant("c"), user("d"), assistant("e")],
    });
  });

  it("takes the prompt off a side that repeats it, and refuses one that repeats another", () => {
    const both = { prompt: [user("q")], chosen: [assistant("a")], rejected: [assistant("b")] };
    expect(pair([user("q")], [user("q"), assistant("a")], [assistant("b")])).toEqual(both);
    expect(pair([user("q")], [user("z"), assistant("a")], [assistant("b")])).toBe(
      "different-prompts",
    );
  });

  it.each([
    ["missing-field", [[user("q")], null, [assistant("b")]]],
    ["wrong-type", [[user("q")], 5, [assistant("b")]]],
    ["wrong-type", [[user("q")], [{ role: "assistant", content: null }], [assistant("b")]]],
    ["wrong-type", [[user("q")], ["a"], [assistant("b")]]],
    ["not-text", [[{ role: "user", content: [{ type: "image" }] }], "a", "b"]],
    ["wrong-type", [[{ role: "user", content: [{ type: "number", text: "1" }] }], "a", "b"]],
    ["unknown-role", [[{ role: "narrator", content: "q" }], "a", "b"]],
    ["unknown-role", [[{ role: "__proto__", content: "q" }], "a", "b"]],
    ["empty-side", [[user("q")], "", "b"]],
    ["empty-side", [[user("q")], "a", " \n\t"]],
    ["empty-side", [[user("q")], [], "b"]],
    ["empty-prompt", [[], "a", "b"]],
    ["empty-prompt", [[turn("system", "s"), user(" ")], "a", "b"]],
    ["turn-order", [[user("q"), assistant("x")], "a", "b"]],
    ["turn-order", [[user("q")], [assistant("a"), user("more")], "b"]],
    ["identical-sides", [[user("q")], "a", [assistant("a")]]],
  ] as const)("calls a row %s (%#)", (reason, [prompt, chosen, rejected]) => {
    expect(pair(prompt, chosen, rejected)).toBe(reason);
  });

  it("tells sides apart that differ in white space alone", () => {
    expect(pair([user("q")], "a", "a ")).toMatchObject({ rejected: [assistant("a ")] });
  });
});

describe("whole conversations", () => {
  const split = (chosen: readonly Message[], rejected: readonly Message[]): unknown =>
    readAs("implicit-prompt", { chosen, rejected });

  it("splits where the assistant's turns differ, also before the last one", () => {
    const [q, more] = [user("q"), user("more")];
    expect(split([q, assistant("a"), more, assistant("b")], [q, assistant("c")])).toEqual({
      prompt: [q],
      chosen: [assistant("a"), more, assistant("b")],
      rejected: [assistant("c")],
    });
  });

  it("goes back to the last question where one side only goes on", () => {
    const shared = [user("q"), assistant("a")];
    expect(split(shared, [...shared, user("more"), assistant("b")])).toEqual({
      prompt: [user("q")],
      chosen: [assistant("a")],
      rejected: [assistant("a"), user("more"), assistant("b")],
    });
  });

  it.each([
    ["different-prompts", [user("q"), assistant("a")], [user("z"), assistant("b")]],
    [
      "different-prompts",
      [user("q"), assistant("a"), user("x"), assistant("b")],
      [user("q"), assistant("a"), user("y"), assistant("b")],
    ],
    ["different-prompts", [assistant("a")], [assistant("b")]],
    ["identical-sides", [user("q"), assistant("a")], [user("q"), assistant("a")]],
    ["empty-side", [], [user("q"), assistant("a")]],
    ["empty-side", [user("q")], [user("q"), assistant("a")]],
  ] as const)("calls a row %s (%#)", (reason, chosen, rejected) => {
    expect(split(chosen, rejected)).toBe(reason);
  });

  it.each([
    ["q", []],
    [" q\n", []],
    ["Human: q Assistant:", []],
    ["", []],
    ["Why not?", ["a prompt text that is in none of its turns"]],
  ])("names a prompt text that contradicts the conversations: %j", (prompt, unread) => {
    const row = { ...ROWS["olmo-mix"], prompt };
    expect(readRow("olmo-mix", row).context?.unread ?? []).toEqual(unread);
    const chosen = "\n\nHuman: q\n\nAssistant: a";
    const transcript = { prompt, chosen, rejected: `${chosen}b` };
    expect(readRow("hh-rlhf", transcript).context?.unread ?? []).toEqual(unread);
  });

  it("reads an OLMo row whose sides hold the answer alone", () => {
    const row = { ...ROWS["olmo-mix"], chosen: [assistant("a")], rejected: [assistant("b")] };
    expect(readAs("olmo-mix", row)).toEqual({
      prompt: [user("q")],
      chosen: [assistant("a")],
      rejected: [assistant("b")],
    });
  });
});

describe("transcripts", () => {
  it("reads a prompt's transcript with whole or bare sides", () => {
    const prompt = "\n\nHuman: q\n\nAssistant: x\n\nHuman: more\n\nAssistant:";
    const turns = {
      prompt: [user("q"), assistant("x"), user("more")],
      chosen: [assistant("a")],
      rejected: [assistant("b")],
    };
    expect(readAs("hh-rlhf", { prompt, chosen: " a", rejected: "b" })).toEqual(turns);
    expect(
      readAs("hh-rlhf", { prompt, chosen: `${prompt} a`, rejected: "\n\nAssistant: b" }),
    ).toEqual(turns);
    expect(
      readAs("hh-rlhf", { prompt: "more", chosen: `${prompt} a`, rejected: `${prompt} b` }),
    ).toEqual(turns);
  });

  it("takes one space after the colon and nothing else away", () => {
    expect(parseTranscript("Human:  q \n\n\n\nAssistant:a\n", "x")).toEqual([
      user(" q \n\n"),
      assistant("a\n"),
    ]);
  });

  it("refuses text before the first marker", () => {
    expect(() => parseTranscript("note\n\nHuman: q", "chosen")).toThrow(RowProblem);
  });

  it("gives rendered turns back", () => {
    const content = fc
      .string({ unit: "grapheme" })
      .map((text) => text.replaceAll(/Human:|Assistant:/g, ""))
      // A last answer without text is where the response goes, see parseTranscript.
      .filter((text) => text.trim() !== "");
    const turns = fc.array(
      fc.record({ role: fc.constantFrom<Role>("user", "assistant"), content }),
      { minLength: 1 },
    );
    fc.assert(
      fc.property(turns, (each) => {
        expect(parseTranscript(renderTranscript(each), "x")).toEqual(each);
      }),
    );
  });
});

/** Writes turns as a transcript; contents must not hold markers of their own. The inverse of parseTranscript. */
function renderTranscript(turns: readonly Message[]): string {
  return turns
    .map(({ role, content }) => `\n\n${role === "user" ? "Human" : "Assistant"}: ${content}`)
    .join("");
}
