import { assert, nat, property, string } from "fast-check";
import { expect, it } from "vitest";

import type { Message } from "../format/messages.ts";
import { excerptPair } from "./pair-text.ts";

const user = (content: string): Message => ({ role: "user", content });
const assistant = (content: string): Message => ({ role: "assistant", content });

it("takes the beginnings, and says how much is left out", () => {
  const pair = {
    prompt: [{ role: "system", content: "be kind" } as const, user("how do I cook rice?")],
    chosen: [assistant("boil it")],
    rejected: [assistant("no")],
  };
  expect(excerptPair(pair, 6)).toEqual({
    prompt: { text: "how do", before: 0, after: 13 },
    earlierTurns: 1,
    chosen: { text: "boil i", before: 0, after: 1 },
    rejected: { text: "no", before: 0, after: 0 },
  });
});

it("starts shortly before the first difference where the beginnings are the same", () => {
  const same = "x".repeat(500);
  const pair = {
    prompt: [user("?")],
    chosen: [assistant(`${same}yes`)],
    rejected: [assistant(`${same}no`)],
  };
  const { chosen, rejected } = excerptPair(pair, 80);
  expect(chosen).toEqual({ text: `${"x".repeat(20)}yes`, before: 480, after: 0 });
  expect(rejected).toEqual({ text: `${"x".repeat(20)}no`, before: 480, after: 0 });
});

it("says who speaks in a response of several turns, and shows calls", () => {
  const call = { role: "assistant", content: null, tool_calls: [{ name: "look" }] };
  const pair = {
    prompt: [user("?")],
    chosen: [
      { role: "assistant", content: "", whole: call } as Message,
      { role: "tool", content: "7" } as Message,
      assistant("seven"),
    ],
    rejected: [assistant("8")],
  };
  expect(excerptPair(pair, 400).chosen.text).toBe(
    '[assistant] [{"name":"look"}]\n[tool] 7\n[assistant] seven',
  );
});

it("never cuts a character in two, and accounts for every unit", () => {
  const text = string({ unit: "binary", maxLength: 60 });
  assert(
    property(text, text, text, nat(4), nat(30), (lead, a, b, times, characters) => {
      const same = lead.repeat(times);
      const pair = {
        prompt: [user(a)],
        chosen: [assistant(same + a)],
        rejected: [assistant(same + b)],
      };
      const { chosen, rejected } = excerptPair(pair, characters + 1);
      for (const [each, whole] of [
        [chosen, same + a],
        [rejected, same + b],
      ] as const) {
        expect(whole.slice(each.before, whole.length - each.after)).toBe(each.text);
        expect(each.text.length).toBeLessThanOrEqual(characters + 1);
        // Where nothing is cut in two already.
        expect(/\p{Cs}/u.test(each.text) && !/\p{Cs}/u.test(whole)).toBe(false);
      }
    }),
  );
});
