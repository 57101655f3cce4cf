import { chmod, mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { temporaryFolder } from "../../test/support/data-files.ts";
import { expectFailure } from "../../test/support/errors.ts";
import { withoutRights } from "../../test/support/without-rights.ts";
import { ConfigError, RuntimeError } from "./errors.ts";
import { expectWritable, makeFolder } from "./make-folder.ts";

describe("expectWritable", () => {
  it("finds out before the work where nothing can be made, whatever of the path is there", async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, "store"));
    await writeFile(join(folder, "file"), "");
    const paths = ["store", "file", "new", "new/in/new"].map((name) => join(folder, name));
    for (const path of paths) expectWritable(path);
    expect((await readdir(folder)).toSorted()).toEqual(["file", "store"]);
    await chmod(join(folder, "store"), 0o555);
    await chmod(folder, 0o555);
    for (const path of paths) {
      const error = await expectFailure(
        () => withoutRights(() => expectWritable(path)),
        RuntimeError,
      );
      expect(error.message).toBe(`${path}: cannot be made (EACCES)`);
      expect(error.hint).toMatch(/may write there/);
    }
    await chmod(folder, 0o755);
  });

  it.each([
    [
      "beneath a file",
      "file/x/y",
      /: expected a place in a folder, got one beneath the file .*\/file$/,
    ],
    ["whose name is too long", "x".repeat(300), /got one that is too long$/],
    ["whose name is too long while it is written", "x".repeat(250), /got one that is too long$/],
    ["behind links in a circle", "circle/x", /got links that lead in a circle$/],
    ["with a null character", "a\0b", /got one with a null character$/],
  ])("refuses a path %s", async (_, name, message) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "file"), "");
    await symlink(join(folder, "circle"), join(folder, "circle"));
    const error = await expectFailure(() => expectWritable(join(folder, name)), ConfigError);
    expect(error.message).toMatch(message);
    expect((await readdir(folder)).toSorted()).toEqual(["circle", "file"]);
  });
});

describe("makeFolder", () => {
  it("makes what is missing, and says what is in the way", async () => {
    const folder = await temporaryFolder();
    await makeFolder(join(folder, "a", "b"));
    await makeFolder(join(folder, "a", "b"));
    await writeFile(join(folder, "file"), "");
    for (const [path, got] of [
      [join(folder, "file"), "a file"],
      [join(folder, "file", "x"), "a path through a file"],
    ] as const) {
      const error = await expectFailure(makeFolder(path), ConfigError);
      expect(error.message).toBe(`${path}: expected a folder, got ${got}`);
    }
  });
});
