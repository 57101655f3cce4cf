import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";

import { describe, expect, it } from "vitest";

import { expectFailure } from "../../test/support/errors.ts";
import { suiteFolder } from "../../test/support/suite-folder.ts";
import { withoutRights } from "../../test/support/without-rights.ts";
import { ConfigError } from "../util/errors.ts";
import { checkOutputs, expectOtherFiles } from "./check-outputs.ts";
import type { Outputs } from "./verb.ts";

const folder = suiteFolder();
const input = join(folder, "in.jsonl");
writeFileSync(input, "");
const link = join(folder, "link.jsonl");
symlinkSync(input, link);
mkdirSync(join(folder, "closed"), { mode: 0o555 });

describe("expectOtherFiles", () => {
  it.each([
    ["by the same name", input],
    ["by a relative name", relative(process.cwd(), input)],
    ["through a link", link],
  ])("refuses an input as the output %s", async (_, out) => {
    const error = await expectFailure(
      () => expectOtherFiles("out", ["x", out], [input]),
      ConfigError,
    );
    expect(error.message).toBe(
      `out: expected another file than the input, ${out} would be replaced`,
    );
  });

  it("takes other files, there or not", () => {
    expect(() =>
      expectOtherFiles("out", [`${input}.json`, folder], [input, "refusal"]),
    ).not.toThrow();
  });
});

describe("checkOutputs", () => {
  const artifact = { name: "a.jsonl", files: (path: string) => [path, `${path}.json`] };
  const out = { artifact, placeholder: "FILE", describe: "", endings: [".jsonl", ".json"] };
  const outputs: Outputs = { out, other: { ...out, isOptional: true } };
  const check =
    (places: Record<string, string>, isForced = false) =>
    () =>
      checkOutputs(outputs, places, { isForced, inputs: [input] });

  it("refuses what cannot be written, resumable and shared outputs too, before anything is opened", () => {
    const kinds = { isResumable: true, shared: ".answers", plain: true };
    for (const [name, value] of Object.entries(kinds)) {
      const each: Outputs = { out: { ...out, endings: undefined, [name]: value } };
      const path = join(folder, "closed", "x");
      const write = (): void => checkOutputs(each, { out: path }, { isForced: false, inputs: [] });
      expect(write).not.toThrow();
      expect(() => withoutRights(write)).toThrow(/closed\/x: cannot be made \(EACCES\)/);
    }
  });

  it("refuses an input with force too, and every file of an artefact", () => {
    expect(check({ out: input }, true)).toThrow(ConfigError);
    expect(() =>
      checkOutputs(outputs, { out: input }, { isForced: true, inputs: [`${input}.json`] }),
    ).toThrow(`out: expected another file than the input, ${input}.json would be replaced`);
    expect(check({ out: join(folder, "new.jsonl") }, true)).not.toThrow();
  });

  it.each([
    [
      "another ending",
      { out: "a.csv" },
      'out: expected a name ending in .jsonl or .json, got "a.csv"',
    ],
    ["a folder", { out: join(folder, "dir.jsonl") }, "expected a file for out, got a folder"],
    ["no folder to write into", { out: join(folder, "none/a.jsonl") }, "no such folder for out"],
    ["a file that is there", { out: link.replace("link", "there") }, "exists already"],
    [
      "one place twice",
      { out: join(folder, "a.jsonl"), other: join(folder, "a.jsonl") },
      "other: expected another file than the other outputs",
    ],
  ])("refuses %s", (_, places, message) => {
    mkdirSync(join(folder, "dir.jsonl"), { recursive: true });
    writeFileSync(join(folder, "there.jsonl"), "");
    expect(check(places)).toThrow(message);
  });

  it("replaces what is there with force, and leaves it to verbs that go on with it", () => {
    writeFileSync(join(folder, "there.jsonl"), "");
    const there = { out: join(folder, "there.jsonl") };
    expect(check(there, true)).not.toThrow();
    const resumable = { out: { ...out, isResumable: true } };
    expect(() =>
      checkOutputs(resumable, there, { isForced: false, inputs: [input] }),
    ).not.toThrow();
  });
});
