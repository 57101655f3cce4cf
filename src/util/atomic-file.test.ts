import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { temporaryFolder } from "../../test/support/data-files.ts";
import { expectFailure } from "../../test/support/errors.ts";
import { writeFileAtomic } from "./atomic-file.ts";
import { RuntimeError } from "./errors.ts";

describe("writeFileAtomic", () => {
  it("writes text, bytes and chunks, over an older file too", async () => {
    const path = join(await temporaryFolder(), "file");
    await writeFileAtomic(path, "text");
    expect(await readFile(path, "utf8")).toBe("text");
    await writeFileAtomic(path, new Uint8Array([65, 66]));
    expect(await readFile(path, "utf8")).toBe("AB");
    await writeFileAtomic(path, [new Uint8Array([67]), new Uint8Array([68])]);
    expect(await readFile(path, "utf8")).toBe("CD");
  });

  it("keeps the old file, and no half of the new one, where the source fails", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "file");
    await writeFileAtomic(path, "old");
    async function* source(): AsyncGenerator<string> {
      yield "new";
      throw new Error("source broke");
    }
    await expect(writeFileAtomic(path, source())).rejects.toThrow("source broke");
    expect(await readFile(path, "utf8")).toBe("old");
    expect(await readdir(folder)).toEqual(["file"]);
  });

  it("says why a path cannot be written, and leaves nothing", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "file"), "");
    await mkdir(join(folder, "folder"));
    const paths = {
      [join(folder, "missing", "x")]: "ENOENT",
      [join(folder, "file", "x")]: "ENOTDIR",
      [join(folder, "folder")]: "EISDIR",
      [join(folder, "x".repeat(300))]: "ENAMETOOLONG",
    };
    for (const [path, code] of Object.entries(paths)) {
      const error = await expectFailure(writeFileAtomic(path, "text"), RuntimeError);
      expect(error.message).toBe(`${path}: cannot be written (${code})`);
      expect(error.hint).toMatch(/may write/);
    }
    expect(await readdir(folder)).toEqual(["file", "folder"]);
  });
});
