import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { writeFileAtomic } from "../util/atomic-file.ts";

const SKIPPED_NAME = "skipped.txt";

/** Marks a stage that had nothing to do, such as training on an edit of no pairs; `reason` is one sentence. */
export async function writeSkipped(directory: string, reason: string): Promise<void> {
  await writeFileAtomic(join(directory, SKIPPED_NAME), `${reason}\n`);
}

/** Why a stage did nothing; undefined where it did its work. */
export async function readSkipped(directory: string): Promise<string | undefined> {
  return readFile(join(directory, SKIPPED_NAME), "utf8").then(
    (text) => text.trim(),
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    },
  );
}
