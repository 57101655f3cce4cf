import { stat } from "node:fs/promises";

import { parse, YAMLParseError } from "yaml";

import { ConfigError, FormatError } from "../../util/errors.ts";
import { MAX_ROW_BYTES } from "./file-row.ts";
import { readBytes } from "./read-bytes.ts";

/** A text file within the limit for one row: documents are written by hand. */
export async function readText(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined && found.size > MAX_ROW_BYTES) {
    throw new ConfigError(
      `${path}: expected at most ${MAX_ROW_BYTES / 2 ** 20} MiB in one document, got more`,
      { hint: "Write large files as JSON lines." },
    );
  }
  const chunks: Buffer[] = [];
  for await (const chunk of readBytes(path)) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

/** Throws FormatError naming file and line; the text itself stays out of the message. */
export function parseYaml(path: string, text: string): unknown {
  try {
    // Aliases can make a small file huge; none are needed.
    return parse(text, { maxAliasCount: 0, prettyErrors: true }) as unknown;
  } catch (error) {
    if (!(error instanceof YAMLParseError) && !(error instanceof ReferenceError)) throw error;
    const line = error instanceof YAMLParseError ? error.linePos?.[0].line : undefined;
    const place = line === undefined ? path : `${path}, line ${line}`;
    const what = error instanceof YAMLParseError ? error.code : "an alias";
    throw new FormatError(`${place}: expected YAML, got ${what}`, { cause: error });
  }
}
