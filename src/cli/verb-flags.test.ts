import { describe, expect, it } from "vitest";
import { z } from "zod";

import { ConfigError } from "../util/errors.ts";
import { jsonSchemaOf } from "../verbs/json-schema.ts";
import { listSettings } from "../verbs/list-settings.ts";
import { parseArguments } from "./arguments.ts";
import { readSettings, settingFlags } from "./verb-flags.ts";

const settings = z.strictObject({
  whole: z.int().optional().describe("Absent: none."),
  size: z.number().min(1).max(2).optional().describe("Absent: none."),
  atLeast: z.number().min(8).default(8).describe("One."),
  atMost: z.number().max(6).default(0).describe("One."),
  share: z.number().gt(0).lt(1).default(0.5).describe("One."),
  kind: z.enum(["small", "big"]).default("small").describe("One."),
  names: z.array(z.string()).default([]).describe("Some."),
  tokens: z.array(z.string()).default([]).meta({ description: "Some.", isWhole: true }),
  strength: z
    .union([z.literal("auto"), z.array(z.number())])
    .default("auto")
    .describe("One or some."),
  at: z
    .union([z.enum(["own"]), z.string().regex(/^[-\d,]+$/, { error: "expected own or layers" })])
    .default("own")
    .describe("One."),
  isFast: z.boolean().default(false).describe("Fast."),
  endpoint: z
    .strictObject({
      baseUrl: z.string().describe("Where."),
      model: z.string().describe("Who."),
      apiKeyEnv: z
        .string()
        .regex(/^[A-Z]+$/)
        .optional()
        .describe("Absent: none."),
    })
    .optional()
    .describe("Whom to ask. Absent: nobody."),
  lora: z
    .strictObject({ rank: z.int().min(1).default(16).describe("Rank.") })
    .optional()
    .describe("Factors. Absent: none."),
});
const listed = listSettings(jsonSchemaOf(settings));

/** The settings that words give. */
function read(...words: string[]): z.output<typeof settings> {
  const command = {
    name: "work",
    summary: "",
    positionals: "",
    description: "",
    flags: settingFlags(listed),
    run: () => Promise.resolve(),
  };
  return readSettings(parseArguments(command, words), "work", settings, listed);
}

describe("settings from words", () => {
  it("have their defaults, and no group that was not asked for", () => {
    expect(read()).toEqual(settings.parse({}));
  });

  it.each([
    ["12", 12],
    ["-3", -3],
    ["1e3", 1000],
    ["0", 0],
  ])("are the whole number of %s", (word, value) => {
    expect(read(`--whole=${word}`).whole).toBe(value);
  });

  it.each(["", " ", "1.5", "ten", "NaN", "Infinity", "1e99", "5 apples", "1,000"])(
    "are no whole number of %j, said with flag and word",
    (word) => {
      expect(() => read(`--whole=${word}`)).toThrow(
        new ConfigError(`--whole: expected a whole number, got "${word}"`),
      );
    },
  );

  it.each([
    ["--size=7", "--size: expected a number from 1 to 2"],
    ["--at-least=7", "--at-least: expected a number of at least 8"],
    ["--at-most=7", "--at-most: expected a number of at most 6"],
    ["--share=7", "--share: expected a number above 0 and below 1"],
  ])("keep the bounds of %s", (word, message) => {
    expect(() => read(word)).toThrow(`${message}, got "7"`);
  });

  it("are of the choices", () => {
    expect(read("--kind", "big").kind).toBe("big");
    expect(() => read("--kind", "Big")).toThrow('--kind: expected small or big, got "Big"');
  });

  it("are lists over repeats and commas, and whole where they may hold commas", () => {
    expect(read("--names", "a, b", "--names", "c,,").names).toEqual(["a", "b", "c"]);
    expect(read("--tokens", ",", "--tokens", "a,b").tokens).toEqual([",", "a,b"]);
  });

  it("are a word or a list, as the choice says", () => {
    expect(read("--strength", "auto").strength).toBe("auto");
    expect(read("--strength", "1,2.5").strength).toEqual([1, 2.5]);
    expect(read("--at", "2,4-6").at).toBe("2,4-6");
    expect(() => read("--at", "ours")).toThrow('--at: expected own or layers, got "ours"');
  });

  it("are true where a switch is given", () => {
    expect(read("--is-fast").isFast).toBe(true);
  });

  it("are a group where its members are given, with what it cannot do without", () => {
    const endpoint = { baseUrl: "u", model: "m" };
    expect(read("--base-url", "u", "--model", "m").endpoint).toEqual(endpoint);
    expect(() => read("--model", "m")).toThrow("--model: expected --base-url with it, got none");
  });

  it("are a group that a switch turns on, and nothing without it", () => {
    expect(read("--lora").lora).toEqual({ rank: 16 });
    expect(read("--rank", "4", "--lora").lora).toEqual({ rank: 4 });
    expect(() => read("--rank", "4")).toThrow("--rank: expected --lora with it, got none");
  });

  it("show no key that stands where its variable's name should", () => {
    expect(() => read("--base-url=u", "--model=m", "--api-key-env=sk-secret")).toThrow(
      /^--api-key-env: expected .*, got another text$/,
    );
  });
});
