import { readFile } from "node:fs/promises";

import { ConfigError, FormatError } from "../util/errors.ts";
import { expectKeysOnce } from "../util/json-scan.ts";

/** A JSON file that must be there; `hint` says where to point if it is not. */
export async function readJson(path: string, hint: string): Promise<unknown> {
  let text;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException; // as readFile throws
    const got = code === "ENOENT" || code === "ENOTDIR" ? "is not there" : "cannot be read";
    throw new ConfigError(`${path}: ${got}`, { hint, cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FormatError(`${path}: not valid JSON`, { hint: "Download the file again.", cause });
  }
  expectKeysOnce(path, text, value);
  return value;
}
