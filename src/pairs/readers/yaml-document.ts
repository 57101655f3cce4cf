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
    const what = error instanceof YAMLParseError ? (FAULTS[error.code] ?? error.code) : "an alias";
    throw new FormatError(`${place}: expected YAML, got ${what}`, {
      hint: "The fault may lie in the line before; lines count from 1.",
      cause: error,
    });
  }
}

/** The parser's codes in words: its own messages quote the text. */
const FAULTS: Readonly<Record<string, string>> = {
  BAD_INDENT: "a line that is not indented as its list or mapping, or a bracket that is not closed",
  BAD_SCALAR_START: "a text that begins with a reserved character and is not in quotes",
  BLOCK_AS_IMPLICIT_KEY: "a second colon in one line, or a value that is not in quotes",
  BLOCK_IN_FLOW: "a colon or a dash where a comma or bracket was due",
  DUPLICATE_KEY: "a key that is there twice",
  MISSING_CHAR: "a bracket or quote that is not closed, or a space that is missing after a colon",
  MULTILINE_IMPLICIT_KEY: "a key of several lines, or a colon that is missing",
  MULTIPLE_DOCS: "several documents",
  TAB_AS_INDENT: "a tab as indentation",
  UNEXPECTED_TOKEN: "something out of place, a tab as indentation or a stray bracket say",
};
