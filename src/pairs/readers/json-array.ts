import { FormatError } from "../../util/errors.ts";
import type { UnusableReason } from "../preference-pair.ts";
import type { FileRow, ReadOptions } from "./file-row.ts";
import { isBlank, parseJsonRow } from "./parse-json-row.ts";
import { readBytes } from "./read-bytes.ts";
import { createRowBuffer } from "./row-buffer.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Rows of a file that holds one JSON array of objects, gzipped or not, without ever holding the array: only brackets and
 * strings are followed, and each element is parsed by itself. A broken element costs itself (a quote too many swallows text
 * up to the next one); an array that never closes ends in a broken row. For why not DuckDB see json-lines.ts.
 */
export async function* readJsonArray(path: string, options: ReadOptions): AsyncGenerator<FileRow> {
  const splitter = createElementSplitter(path);
  let fileRow = 0;
  for await (const chunk of readBytes(path, options.signal)) {
    for (const element of splitter.push(chunk)) {
      yield parseJsonRow(element, fileRow, `element ${fileRow + 1}`);
      fileRow++;
    }
  }
  const fault = splitter.faultAtEnd();
  if (fault !== undefined) {
    yield { kind: "broken", fileRow, bytes: undefined, ...fault };
  }
}

interface ElementSplitter {
  /** The elements that end within this chunk; undefined for one above MAX_ROW_BYTES. */
  push(chunk: Buffer): (Buffer | undefined)[];
  /** What was wrong with the array as a whole, once the file has ended. */
  faultAtEnd(): { readonly reason: UnusableReason; readonly detail: string } | undefined;
}

function createElementSplitter(path: string): ElementSplitter {
  let state: "before" | "inside" | "after" = "before";
  let depth = 0;
  let isInString = false;
  let isEscaped = false;
  let hasTrailingText = false;
  const row = createRowBuffer();
  /** Follows one byte inside the array; true where it ends an element. */
  const step = (byte: number): boolean => {
    if (isInString) {
      if (isEscaped) isEscaped = false;
      else if (byte === BACKSLASH) isEscaped = true;
      else if (byte === QUOTE) isInString = false;
      return false;
    }
    if (byte === QUOTE) isInString = true;
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) depth++;
    else if (byte === CLOSE_OBJECT) depth = Math.max(0, depth - 1);
    else if (byte === CLOSE_LIST && depth > 0) depth--;
    else return depth === 0 && (byte === COMMA || byte === CLOSE_LIST);
    return false;
  };
  return {
    push(chunk) {
      const elements: (Buffer | undefined)[] = [];
      let start = 0;
      if (state === "before") {
        start = findOpening(chunk, path);
        if (start === chunk.length) return [];
        start++;
        state = "inside";
      }
      for (let i = start; i < chunk.length && state === "inside"; i++) {
        if (!step(chunk[i]!)) continue;
        row.add(chunk.subarray(start, i));
        start = i + 1;
        const isLast = chunk[i] === CLOSE_LIST;
        const element = row.take();
        if (isLast) state = "after";
        // `[]` and a comma before the closing bracket end no element.
        if (!(isLast && element !== undefined && isBlank(element))) elements.push(element);
      }
      if (state === "inside") row.add(chunk.subarray(start));
      else hasTrailingText ||= !isBlank(chunk.subarray(start));
      return elements;
    },
    faultAtEnd() {
      if (state === "inside") {
        const detail =
          'expected a closing "]", got the end of the file: it was cut off, and rows behind are lost';
        return { reason: "cut-off", detail };
      }
      if (!hasTrailingText) return undefined;
      const detail = 'expected nothing after the closing "]", got more text';
      return { reason: "broken-json", detail };
    },
  };
}

/** Where the array opens; the chunk's length where it is blank so far. */
function findOpening(chunk: Buffer, path: string): number {
  for (let i = 0; i < chunk.length; i++) {
    if (chunk[i] === OPEN_LIST) return i;
    if (!isBlank(chunk.subarray(i, i + 1))) {
      throw new FormatError(`${path}: expected a JSON array, got other text`);
    }
  }
  return chunk.length;
}
