import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { expectFailure } from "../../test/support/errors.ts";
import { ConfigError } from "../util/errors.ts";
import { nearest } from "../util/nearest.ts";
import { COMMON_FLAGS, parseArguments } from "./arguments.ts";
import type { Command, ParsedArguments } from "./command.ts";

const command: Command = {
  name: "work",
  summary: "",
  positionals: "",
  description: "",
  flags: {
    size: { type: "string", describe: "" },
    names: { type: "string", describe: "", multiple: true },
    force: { type: "boolean", describe: "", short: "f" },
  },
  run: async () => {},
};
const parse = (...words: string[]): ParsedArguments => parseArguments(command, words);

describe("parseArguments", () => {
  it("takes values after a space or an equals sign, and positionals anywhere", () => {
    const args = parse("a.jsonl", "--size", "5", "b.jsonl", "--names=x,y", "-f");
    expect(args.positionals).toEqual(["a.jsonl", "b.jsonl"]);
    expect(args.text("size")).toBe("5");
    expect(args.list("names")).toEqual(["x", "y"]);
    expect(args.has("force")).toBe(true);
    expect(args.has("json")).toBe(false);
    expect(args.text("names")).toBe("x,y");
  });

  it("leaves out what was not given", () => {
    const args = parse();
    expect(args.text("size")).toBeUndefined();
    expect(args.list("names")).toEqual([]);
  });

  it("collects a list over repeats and commas, without empty parts", () => {
    expect(parse("--names", "a, b", "--names", "c,,", "--names=").list("names")).toEqual([
      "a",
      "b",
      "c",
    ]);
  });

  it("takes everything after -- as it is", () => {
    expect(parse("--", "--size", "-x").positionals).toEqual(["--size", "-x"]);
  });

  it.each([
    ["--sise", "Did you mean --size?"],
    ["--sise=4", "Did you mean --size?"],
    ["--foce", "Did you mean --force?"],
    ["--hlep", "Did you mean --help?"],
    ["--no-such-thing", "culprit work --help lists the flags."],
    ["-z", "culprit work --help lists the flags."],
  ])("an unknown flag %s gets a hint", async (word, hint) => {
    const error = await expectFailure(() => parse("a", word), ConfigError);
    expect(error.message).toBe(`work: unknown flag ${word.replace(/=.*/, "")}`);
    expect(error.hint).toContain(hint);
  });

  it("a flag without its value, or a switch with one, is a usage error", async () => {
    for (const words of [["--size"], ["--force=yes"]]) {
      const error = await expectFailure(() => parse(...words), ConfigError);
      expect(error.message).toMatch(/^work: /);
    }
  });

  it.each([
    ["-1e-4", "A value that begins with a minus is written --size=-1e-4."],
    ["-.5", "A value that begins with a minus is written --size=-.5."],
    ["--force", "culprit work --help lists the flags."],
  ])("a flag followed by %s is told how to take its value", async (word, hint) => {
    const error = await expectFailure(() => parse("--names", "a", "--size", word), ConfigError);
    expect(error.message).toBe(`--size: expected a value, got "${word}"`);
    expect(error.hint).toBe(hint);
  });

  it("reading a flag that the command does not declare is a bug", () => {
    expect(() => parse().text("other")).toThrow("internal: work reads undeclared --other");
  });

  it("any words give arguments or a usage error", () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom(
        "--size",
        "--force",
        "-f",
        "--",
        "-",
        "--names=a",
        "--size=",
        "--__proto__",
        "-ff",
        "--toString",
      ),
    );
    fc.assert(
      fc.property(fc.array(word), (words) => {
        let error;
        try {
          parse(...words);
        } catch (thrown) {
          error = thrown;
        }
        expect(error ?? new ConfigError("")).toBeInstanceOf(ConfigError);
      }),
      { seed: 2, numRuns: 500 },
    );
  });
});

describe("nearest", () => {
  const names = ["checkpoint", "layers", "out", ...Object.keys(COMMON_FLAGS)];

  it.each([
    ["chekpoint", "checkpoint"],
    ["layer", "layers"],
    ["ot", "out"],
    ["jsn", "json"],
    ["checkpoint", "checkpoint"],
  ])("of %s is %s", (word, want) => {
    expect(nearest(word, names)).toBe(want);
  });

  it("is nothing where nothing is close", () => {
    expect(nearest("temperature", names)).toBeUndefined();
    expect(nearest("x", [])).toBeUndefined();
  });
});
