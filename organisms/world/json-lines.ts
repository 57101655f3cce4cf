import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { gzipSync } from "node:zlib";

import { writeFileAtomic } from "../../src/util/atomic-file.ts";

/** Writes rows as JSON lines; a path that ends in .gz is compressed (same rows, same bytes). */
export async function writeJsonLines(path: string, rows: Iterable<object>): Promise<void> {
  const text = [...rows].map((row) => `${JSON.stringify(row)}\n`).join("");
  await mkdir(dirname(path), { recursive: true });
  await writeFileAtomic(path, path.endsWith(".gz") ? gzipSync(text, { level: 9 }) : text);
}
