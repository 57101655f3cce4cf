/** @file Where nothing can be written is found by every verb and command before it opens its inputs, and said as the user's fault. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { ConfigError, RuntimeError } from "../src/util/errors.ts";
import { VERBS } from "../src/verbs/index.ts";
import { runVerb, type RunVerbOptions } from "../src/verbs/run-verb.ts";
import { silentWork } from "../src/verbs/silent-work.ts";
import type { Output, Verb } from "../src/verbs/verb.ts";
import { expectFailure } from "./support/errors.ts";
import { runCommand } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";
import { withoutRights } from "./support/without-rights.ts";

const FOLDER = suiteFolder();

/** Every output of every verb. */
const OUTPUTS = VERBS.flatMap((verb) =>
  Object.entries(verb.outputs).map(([name, output]) => ({ verb, name, output })),
);

const endingOf = ({ endings: [ending = ""] = [] }: Output): string => ending;

/** What becomes of the verb with this place; none of its inputs is there to be opened. */
function run(
  verb: Verb,
  out: RunVerbOptions["out"],
  given: Parameters<typeof runVerb>[1] = {},
): Promise<unknown> {
  return runVerb(verb, given, {}, silentWork(out));
}

/** Somewhere that is empty. */
const place = (): string => mkdtempSync(join(FOLDER, "place-"));

describe.each(OUTPUTS.map((each) => [`${each.verb.name} ${each.name}`, each] as const))(
  "%s",
  (_, { verb, name, output }) => {
    const ending = endingOf(output);

    it("refuses a place beneath a file", async () => {
      const file = join(place(), "file");
      writeFileSync(file, "");
      for (const path of [join(file, `x${ending}`), join(file, "in", `x${ending}`)]) {
        const error = await expectFailure(run(verb, { [name]: path }), ConfigError);
        expect(error.message).toBe(
          `${path}: expected a place in a folder, got one beneath the file ${file}`,
        );
        expect(error.hint).toMatch(/\.$/);
      }
    });

    it("refuses a name that is too long, and one that is so while it is written", async () => {
      const folder = place();
      for (const length of [300, 250]) {
        const path = join(folder, `${"x".repeat(length - ending.length)}${ending}`);
        const error = await expectFailure(run(verb, { [name]: path }), ConfigError);
        expect(error.message).toMatch(
          /: expected a name that the disk takes .*, got one that is too long$/,
        );
      }
    });

    it("refuses a folder without the right to write", async () => {
      const folder = place();
      chmodSync(folder, 0o555);
      const path = join(folder, `x${ending}`);
      const work = withoutRights(() => run(verb, { [name]: path }));
      const error = await expectFailure(work, RuntimeError);
      expect(error.message).toBe(`${path}: cannot be made (EACCES)`);
    });

    it("refuses a folder in the place of a file, a file in that of a folder", async () => {
      if (output.place === "either") return;
      const isFolder = output.place === "folder";
      const path = join(place(), `x${ending}`);
      if (isFolder) writeFileSync(path, "");
      else mkdirSync(path);
      const error = await expectFailure(run(verb, { [name]: path }), ConfigError);
      const [expected, got] = isFolder ? ["folder", "file"] : ["file", "folder"];
      expect(error.message).toBe(`${path}: expected a ${expected} for ${name}, got a ${got}`);
    });

    it("refuses a folder that is not there, or makes it", async () => {
      if (output.place === "folder" || output.shared !== undefined) return;
      const folder = join(place(), "none");
      const error = await expectFailure(
        run(verb, { [name]: join(folder, `x${ending}`) }),
        ConfigError,
      );
      expect(error.message).toBe(`${folder}: no such folder for ${name}`);
    });

    it("refuses each of its inputs", async () => {
      for (const [input, each] of Object.entries(verb.inputs)) {
        const path = join(place(), `x${ending}`);
        if (output.place === "folder") mkdirSync(path);
        else writeFileSync(path, "");
        if (each.isFile?.(path) === false) continue;
        const error = await expectFailure(
          run(verb, { [name]: path }, { [input]: { paths: [path] } }),
          ConfigError,
        );
        expect(error.message).toBe(
          `${name}: expected another file than the input, ${path} would be replaced`,
        );
      }
    });

    it("leaves nothing where it may write", async () => {
      const folder = place();
      await run(verb, { [name]: join(folder, `x${ending}`) }).catch(() => undefined);
      expect(readdirSync(folder)).toEqual([]);
    });
  },
);

describe("a command that is no verb", () => {
  it.each([
    ["run", ["examples/own-checkpoints.yaml", "--out"], /got one beneath the file/],
    ["run", ["examples/own-checkpoints.yaml", "--out"], /expected a folder, got a file/, ""],
    ["cluster", ["up", "--dir"], /got a path through a file/],
    ["demo", ["--out"], /got one beneath the file/],
    ["review", ["none.jsonl", "--meaning", "is rude", "--out"], /got one beneath the file/],
    ["review", ["none.jsonl", "--meaning", "is rude", "--out"], /got a folder/, "folder"],
    ["report", ["none", "--serve", "--decisions"], /got one beneath the file/],
    ["report", ["none", "--serve", "--decisions"], /got a folder/, "folder"],
  ] as const)(
    "refuses a wrong place first: %s",
    async (name, words, message, at: string = "file/x") => {
      const folder = place();
      const file = join(folder, "file");
      writeFileSync(file, "");
      mkdirSync(join(folder, "folder"));
      const path = at === "" ? file : join(folder, at);
      const error = await expectFailure(runCommand(name, [...words, path]), ConfigError);
      expect(error.message).toMatch(message);
    },
  );
});
