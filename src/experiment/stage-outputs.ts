import { readdir, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";

import { hashFile } from "../util/hash.ts";
import { RECORD, type StageRecord, WORKING } from "./stage-record.ts";

/** The files of a stage's folder that count, by name. */
export async function listStageOutputs(
  path: string,
  asides: readonly string[],
): Promise<StageRecord["files"]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(path, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter(
      (name) =>
        name !== WORKING.name &&
        name !== RECORD.name &&
        !name.endsWith(".partial") &&
        !asides.some(
          (aside) =>
            name === aside || (/^[./]/.test(name.slice(aside.length)) && name.startsWith(aside)),
        ),
    )
    .toSorted((a, b) => (a < b ? -1 : 1));
  const files: { path: string; sha256: string; sizeBytes: number }[] = [];
  for (const name of names) {
    const file = join(path, name);
    files.push({ path: name, sha256: await hashFile(file), sizeBytes: (await stat(file)).size });
  }
  return files;
}
