/** @file The lines of an answer store. */
import { createReadStream } from "node:fs";

import { FormatError } from "../util/errors.ts";
import type { ChatAnswer } from "./chat-endpoint.ts";
import type { TokenCount } from "./money.ts";

/** An answer with what it cost; undefined where no prices were given. */
export interface PaidAnswer extends ChatAnswer {
  readonly cost?: number | undefined;
  /** Its tokens, or some of them, are estimated: the endpoint did not say. */
  readonly isEstimated?: true | undefined;
}

/** What an answer took that could not be used: it counts, and answers nothing. */
export interface PaidFault extends TokenCount {
  readonly cost?: number | undefined;
}

export type AnswerLine = (PaidAnswer | (PaidFault & { readonly finish: "broken" })) & {
  readonly key: string;
  /** Who paid for it, where several share a store. */
  readonly owner?: string | undefined;
};

/** Where a line stands in the file. */
export interface LinePlace {
  readonly at: number;
  readonly bytes: number;
}

/** How every line begins. */
const BEGINNING = '{"key":"';
const FINISHES: readonly unknown[] = ["stop", "length", "filtered", "refused", "unknown"];
const BROKEN = "broken";

/**
 * Hands on each line with its place; gives the bytes of whole lines, behind which there may be one that a kill cut off. Throws FormatError
 * naming the line (from 0) where the file is no store.
 */
export async function readAnswerLines(
  path: string,
  enter: (line: AnswerLine, place: LinePlace) => void,
): Promise<number> {
  let rest: Buffer = Buffer.alloc(0);
  let at = 0;
  let number = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    const bytes = Buffer.concat([rest, chunk as Buffer]); // no encoding is set
    let begin = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, begin)) {
      const line = parseLine(path, number++, bytes.toString("utf8", begin, end));
      enter(line, { at: at + begin, bytes: end - begin });
      begin = end + 1;
    }
    rest = bytes.subarray(begin);
    at += begin;
  }
  if (number === 0 && !isCutLine(rest)) throw noAnswer(path, 0);
  return at;
}

/** Whether a text without an end may be a line that was being written: only that may be removed. */
function isCutLine(rest: Buffer): boolean {
  const start = rest.toString("utf8", 0, BEGINNING.length);
  return BEGINNING.startsWith(start);
}

function parseLine(path: string, number: number, text: string): AnswerLine {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  const line = json as Partial<AnswerLine> | null | undefined; // looked at field by field
  const isAnswer =
    typeof line === "object" &&
    line !== null &&
    typeof line.key === "string" &&
    (line.finish === BROKEN ||
      ("text" in line && typeof line.text === "string" && FINISHES.includes(line.finish)));
  if (isAnswer) return line as AnswerLine;
  throw noAnswer(path, number);
}

const noAnswer = (path: string, number: number): FormatError =>
  new FormatError(`${path}, line ${number}: expected a stored answer, got something else`, {
    hint:
      number === 0
        ? "Choose another --cache; this one was not written by culprit."
        : "Lines before it are answers. Take this one out, and only its question is asked again; lines count from 0.",
  });
