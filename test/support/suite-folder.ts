import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll } from "vitest";

/** A folder for all tests of a file, gone after the last one. Call it at the top of the file. */
export function suiteFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "culprit-suite-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
