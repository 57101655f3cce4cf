import { join, relative, win32 } from "node:path";

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { FormatError } from "../util/errors.ts";
import { blobName, checkRepoFile } from "./repo-file.ts";

const gitOid = "0".repeat(40);

describe("checkRepoFile", () => {
  test.each([
    "../x",
    "a/../../x",
    "/etc/passwd",
    "a//b",
    "a/./b",
    "",
    ".",
    "..",
    "a\\..\\b",
    "C:/x",
    "a/D:b",
    "a\0b",
    "a\nb",
    "a/",
    42,
    undefined,
  ])("refuses the name %j", (path) => {
    expect(() => checkRepoFile("here", { path, sizeBytes: 1, gitOid })).toThrow(FormatError);
  });

  test.each([
    { sizeBytes: -1 },
    { sizeBytes: 1.5 },
    { sizeBytes: 2 ** 60 },
    { sizeBytes: "5" },
    { gitOid: "../../x" },
    { gitOid: undefined },
    { sha256: "../../x" },
    { sha256: 7 },
  ])("refuses %j, because ids become file names and sizes are allocated", (change) => {
    const entry = { path: "a", sizeBytes: 1, gitOid, ...change };
    expect(() => checkRepoFile("here", entry)).toThrow(FormatError);
  });

  test("accepts only names that stay inside the folder they are joined to, on Windows too", () => {
    const part = fc.oneof(
      fc.string({ unit: "binary", maxLength: 6 }),
      fc.constantFrom("..", ".", "", "a", "C:", "..\\..", "\\\\host\\share"),
    );
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
        const path = parts.join("/");
        const accepted = acceptedPath(path);
        if (accepted === undefined) return;
        const onWindows = win32.resolve("C:\\base", accepted).toLowerCase();
        const isInside = !relative("/base", join("/base", accepted)).startsWith("..");
        expect(accepted === path && isInside && onWindows.startsWith("c:\\base\\")).toBe(true);
      }),
    );
  });

  test("names the blob of a large file by its SHA-256 and of others by git's id", () => {
    const sha256 = "b".repeat(64);
    const file = { path: "a", sizeBytes: 1, gitOid };
    expect(blobName(checkRepoFile("here", file))).toBe(gitOid);
    expect(blobName(checkRepoFile("here", { ...file, sha256 }))).toBe(sha256);
  });
});

/** The path as checked, or undefined where it is refused in the proper way. */
function acceptedPath(path: string): string | undefined {
  try {
    return checkRepoFile("here", { path, sizeBytes: 1, gitOid }).path;
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}
