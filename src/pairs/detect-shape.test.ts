import { describe, expect, it } from "vitest";

import { ConfigError } from "../util/errors.ts";
import { detectShape } from "./detect-shape.ts";
import type { RowFields } from "./readers/file-row.ts";

const standard = { prompt: "q", chosen: "a", rejected: "b" };
const transcript = {
  chosen: "\n\nHuman: q\n\nAssistant: a",
  rejected: "\n\nHuman: q\n\nAssistant: b",
};
const turns = (role: string): unknown => [{ role, content: "x" }];

function detect(rows: readonly RowFields[], named?: Parameters<typeof detectShape>[2]): unknown {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return detectShape(rows, columns, named);
}

describe("detectShape", () => {
  it("goes by most rows, not by the first one, and says how many", () => {
    expect(detect([transcript, standard, standard, {}, standard])).toEqual({
      shape: "trl-standard",
      reason: "trl-standard: 3 of 5 sampled rows have prompt, chosen and rejected as text.",
    });
  });

  it("refuses rows that fit two shapes equally well and names both", () => {
    // Read as ShareGPT the sides answer the conversation, read as implicit prompts they are conversations themselves.
    const both = { conversations: turns("user"), chosen: turns("user"), rejected: turns("user") };
    expect(() => detect([both])).toThrow(/implicit-prompt and sharegpt equally well \(1 of 1/);
    expect(detect([both], "sharegpt")).toMatchObject({ shape: "sharegpt" });
  });

  it("refuses a half-half mix, which no one shape explains", () => {
    expect(() => detect([standard, transcript])).toThrow(ConfigError);
    expect(() => detect([standard, transcript])).toThrow(/fits best, 1 of 2 sampled rows/);
  });

  it("lists the columns found and the shapes known where none fits", () => {
    const attempt = (): unknown => detect([{ instruction: "q", output_a: "a" }]);
    expect(attempt).toThrow(ConfigError);
    expect(attempt).toThrow(
      /columns "instruction" \(text\), "output_a" \(text\) \(none of 1 sampled/,
    );
    expect(attempt).toThrow(
      expect.objectContaining({
        hint: expect.stringContaining("hh-rlhf (chosen and rejected as") as string,
      }),
    );
  });

  it("names the column that may be meant where one is misspelt", () => {
    expect(() => detect([{ prompt: "q", choosen: "a", rejected: "b" }])).toThrow(
      expect.objectContaining({
        hint: expect.stringContaining('Rename "choosen" to chosen?') as string,
      }),
    );
  });

  it("takes a named shape that some row has and refuses one that none has", () => {
    expect(detect([standard, standard, transcript], "hh-rlhf")).toMatchObject({
      shape: "hh-rlhf",
      reason: expect.stringContaining("named by the user; 1 of 3") as string,
    });
    expect(() => detect([standard], "olmo-mix")).toThrow(/\(olmo-mix, as named\), got columns/);
  });
});
