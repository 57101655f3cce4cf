import { symlinkSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";

import { describe, expect, it } from "vitest";

import { expectFailure } from "../../test/support/errors.ts";
import { suiteFolder } from "../../test/support/suite-folder.ts";
import { ConfigError } from "../util/errors.ts";
import { checkOutputFiles, expectOtherFiles } from "./output-files.ts";

const folder = suiteFolder();
const input = join(folder, "in.jsonl");
writeFileSync(input, "");
const link = join(folder, "link.jsonl");
symlinkSync(input, link);

describe("expectOtherFiles", () => {
  it.each([
    ["by the same name", input],
    ["by a relative name", relative(process.cwd(), input)],
    ["through a link", link],
  ])("refuses an input as the output %s", async (_, out) => {
    const error = await expectFailure(() => expectOtherFiles(["x", out], [input]), ConfigError);
    expect(error.message).toBe(
      `--out: expected another file than the input, ${out} would be replaced`,
    );
  });

  it("is asked by every check of an output, with --force too", async () => {
    const settings = { isForced: true, inputs: [input] };
    await expectFailure(() => checkOutputFiles([input], settings), ConfigError);
    expect(() => checkOutputFiles([`${input}.json`], settings)).not.toThrow();
  });

  it("takes other files, there or not", () => {
    expect(() => expectOtherFiles([`${input}.json`, folder], [input, "refusal"])).not.toThrow();
  });
});
