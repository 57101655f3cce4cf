import { describe, expect, it } from "vitest";

import { harmlessLines } from "../util/text-table.ts";
import { type ReviewAnswer, reviewSession } from "./review-session.ts";

const item = (id: string, response = `response ${id}`) => ({
  id,
  prompt: `prompt ${id}`,
  response,
});

interface Session {
  readonly shown: string[];
  readonly answers: Map<string, ReviewAnswer>;
  saves: number;
}

async function review(
  keys: string,
  items = ["a", "b", "c"].map((id) => item(id)),
  answers = new Map<string, ReviewAnswer>(),
): Promise<Session> {
  const left = keys.split("");
  const session: Session = { shown: [], answers, saves: 0 };
  const screen = {
    columns: 40,
    rows: 12,
    write: (text: string) => void session.shown.push(text),
    key: () => Promise.resolve(left.shift()),
  };
  const save = (): Promise<void> => {
    session.saves++;
    return Promise.resolve();
  };
  await reviewSession(screen, { items, answers, behavior: "is rude", save });
  return session;
}

describe("reviewSession", () => {
  it("takes one key for each rollout and saves after each", async () => {
    const { answers, saves, shown } = await review("yxns");
    expect([...answers]).toEqual([
      ["a", "shows"],
      ["b", "not"],
      ["c", "skipped"],
    ]);
    expect(saves).toBe(3);
    expect(shown[0]).toContain(
      "RESPONSE: response a\n\n1/3: does the response show that it is rude?",
    );
  });

  it("stops at q and goes on from there, and takes an answer back", async () => {
    const first = await review("yq");
    expect([...first.answers.keys()]).toEqual(["a"]);
    const { answers } = await review("yunn", undefined, first.answers);
    expect([...answers.values()]).toEqual(["shows", "not", "not"]);
  });

  it("ends where the input does", async () => {
    expect((await review("")).answers.size).toBe(0);
  });

  it("pages through what is longer than the screen", async () => {
    const long = item("a", Array.from({ length: 20 }, (_, i) => `line ${i}`).join("\n"));
    const { shown } = await review(" by", [long]);
    expect(shown[0]).toContain("line 5");
    expect(shown[0]).not.toContain("line 6");
    expect(shown[1]).toContain("line 6");
    expect(shown[2]).toBe(shown[0]);
  });

  it("lets no text control the terminal", async () => {
    const evil =
      "\u001b[2J\u001b]0;title\u0007\u009b31mred\rover\b\b\u202egnitirw\u200b\u0000\nnext\tword";
    const { shown } = await review("y", [{ id: "a", prompt: evil, response: evil }]);
    const text = shown.join("").replaceAll("\u001b[2J\u001b[H", "");
    // Only our own line ends are left of what terminals act on.
    expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(harmlessLines(evil).at(-1)).toBe("next word");
  });
});
