import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

import { describeWriteError } from "../util/atomic-file.ts";
import { FormatError, RuntimeError } from "../util/errors.ts";
import type { ChatAnswer } from "./chat-endpoint.ts";

/** An answer with what it cost; undefined where no prices were given. */
export interface PaidAnswer extends ChatAnswer {
  readonly cost?: number;
}

/** Tokens and money of all answers of a store. */
export interface StoreTotals {
  answers: number;
  promptTokens: number;
  completionTokens: number;
  /** By the cost that is stored, or else by the prices given now. */
  cost: number;
}

/** Every answer that was paid for, on disk before it is used. */
export interface AnswerStore extends AsyncDisposable {
  readonly totals: Readonly<StoreTotals>;
  /** Of the answers that were entered in the owner's name, now or by an earlier process. */
  readonly own: Readonly<StoreTotals>;
  /** The answers to a question, in the order in which they came. */
  answers(key: string): Promise<readonly PaidAnswer[]>;
  /** When this returns, the answer is on disk. */
  append(key: string, answer: PaidAnswer): Promise<void>;
}

interface Line extends PaidAnswer {
  readonly key: string;
  /** Who paid for it, where several share a store. */
  readonly owner?: string;
}

interface Place {
  readonly at: number;
  readonly bytes: number;
}

/** Keys are hashes; so much of one tells 10^9 questions apart. */
const KEY_LENGTH = 32;

/**
 * Opens a store, a file of JSON lines that only grows, or makes an empty one. A last line that a kill cut off is removed. Memory: one
 * place for each answer. Throws FormatError naming the line where the file is something else, RuntimeError where another process writes
 * it too. `costOf` prices the answers that have no cost; `owner` is whose answers `own` counts.
 */
export async function openAnswerStore(
  path: string,
  costOf: (answer: ChatAnswer) => number = () => 0,
  owner?: string,
): Promise<AnswerStore> {
  const file = await open(path, "a+").catch((error: unknown) => {
    throw describeWriteError(path, error);
  });
  const [totals, own] = [noTotals(), noTotals()];
  const places = new Map<string, Place[]>();
  const enter = (line: Line, place: Place): void => {
    const key = line.key.slice(0, KEY_LENGTH);
    const known = places.get(key);
    if (known === undefined) places.set(key, [place]);
    else known.push(place);
    for (const each of line.owner === owner ? [totals, own] : [totals]) {
      each.answers++;
      each.promptTokens += line.promptTokens ?? 0;
      each.completionTokens += line.completionTokens ?? 0;
      each.cost += line.cost ?? costOf(line);
    }
  };
  let size: number;
  try {
    size = await readLines(path, enter);
    await file.truncate(size);
  } catch (error) {
    await file.close();
    throw describeWriteError(path, error);
  }
  const appender = createAppender(path, file, size);
  return {
    totals,
    own,
    async answers(key) {
      const found = places.get(key.slice(0, KEY_LENGTH)) ?? [];
      return Promise.all(found.map((place) => readLine(file, place)));
    },
    async append(key, answer) {
      const line = { key, ...(owner === undefined ? {} : { owner }), ...answer };
      enter(line, await appender(`${JSON.stringify(line)}\n`));
    },
    async [Symbol.asyncDispose]() {
      await file.close();
    },
  };
}

const noTotals = (): StoreTotals => ({
  answers: 0,
  promptTokens: 0,
  completionTokens: 0,
  cost: 0,
});

async function readLine(file: FileHandle, { at, bytes }: Place): Promise<PaidAnswer> {
  const { buffer } = await file.read(Buffer.alloc(bytes), 0, bytes, at);
  const { key: _, owner: _owner, ...answer } = JSON.parse(buffer.toString("utf8")) as Line; // written by append, checked by readLines
  return answer;
}

/** Lines that come while others are written are written together, with one wait for the disk. */
function createAppender(
  path: string,
  file: FileHandle,
  startSize: number,
): (line: string) => Promise<Place> {
  let size = startSize;
  let waiting: string[] = [];
  let next: Promise<number> | undefined;
  let current: Promise<unknown> = Promise.resolve();
  const write = async (): Promise<number> => {
    const batch = waiting;
    waiting = [];
    next = undefined;
    const start = size;
    if ((await file.stat()).size !== start) {
      throw new RuntimeError(`${path}: another process is writing it too`, {
        hint: "Let one of them finish, or give each its own --cache.",
      });
    }
    const bytes = Buffer.from(batch.join(""));
    await file.appendFile(bytes);
    await file.datasync();
    size = start + bytes.length;
    return start;
  };
  return async (line) => {
    const before = waiting.reduce((sum, each) => sum + Buffer.byteLength(each), 0);
    waiting.push(line);
    if (next === undefined) current = next = current.then(write);
    try {
      return { at: (await next) + before, bytes: Buffer.byteLength(line) };
    } catch (error) {
      throw describeWriteError(path, error);
    }
  };
}

/** The bytes of whole lines; each is handed on with its place. */
async function readLines(path: string, enter: (line: Line, place: Place) => void): Promise<number> {
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
  return at;
}

function parseLine(path: string, number: number, text: string): Line {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  const line = json as Partial<Line> | null | undefined; // looked at field by field
  const isAnswer =
    typeof line === "object" &&
    line !== null &&
    typeof line.key === "string" &&
    typeof line.text === "string" &&
    (line.finish === "stop" || line.finish === "length" || line.finish === "filtered");
  if (isAnswer) return line as Line;
  throw new FormatError(`${path}, line ${number}: expected a stored answer, got something else`, {
    hint: "Choose another --cache; this one was not written by culprit.",
  });
}
