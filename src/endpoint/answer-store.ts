import { type FileHandle, open, rm } from "node:fs/promises";

import { describeWriteError } from "../util/atomic-file.ts";
import { lockFileForWriting } from "../util/writer-lock.ts";
import { changed, createAppender } from "./answer-appender.ts";
import {
  type AnswerLine,
  type LinePlace,
  type PaidAnswer,
  type PaidFault,
  readAnswerLines,
} from "./answer-lines.ts";
import type { ReportedTokens } from "./money.ts";

/** Tokens and money of all answers of a store. */
export interface StoreTotals {
  answers: number;
  /** Answers that came and could not be used; their tokens and money count too. */
  broken: number;
  /** Of all of these, those with estimated tokens. */
  estimated: number;
  promptTokens: number;
  completionTokens: number;
  /** By the cost that is stored, or else by the prices given now. */
  cost: number;
}

/** Every answer that was paid for, on disk before it is used. */
export interface AnswerStore extends AsyncDisposable {
  readonly path: string;
  readonly totals: Readonly<StoreTotals>;
  /** Of the answers that were entered in the owner's name, now or by an earlier process. */
  readonly own: Readonly<StoreTotals>;
  /** The answers to a question, in the order in which they came. */
  answers(key: string): Promise<readonly PaidAnswer[]>;
  /** When this returns, the answer is on disk. */
  append(key: string, answer: PaidAnswer): Promise<void>;
  /** The same for an answer that cannot be used: it is counted, and never handed out. */
  appendBroken(key: string, taken: PaidFault): Promise<void>;
}

/** Keys are hashes; so much of one tells 10^9 questions apart. */
const KEY_LENGTH = 32;

export interface AnswerStoreOptions {
  /** Whose answers `own` counts, and in whose name new ones are entered. Default: nobody's. */
  readonly owner?: string | undefined;
  /** Look answers up only: nothing is locked, made or changed. Default false. */
  readonly isReadOnly?: boolean | undefined;
}

/**
 * Opens a store, a file of JSON lines that only grows, or makes one, which is gone again if no answer came. A last line that a kill cut off
 * is removed. Memory: one place for each answer. Throws FormatError naming the line where the file is something else, RuntimeError where another process writes
 * it too. `costOf` prices the answers that have no cost.
 */
export async function openAnswerStore(
  path: string,
  costOf: (tokens: ReportedTokens) => number = () => 0,
  { owner, isReadOnly = false }: AnswerStoreOptions = {},
): Promise<AnswerStore> {
  const lock = isReadOnly ? undefined : await lockFileForWriting(path);
  let file: FileHandle | undefined;
  const close = async (): Promise<void> => {
    const isEmpty = file !== undefined && !isReadOnly && (await file.stat()).size === 0;
    await file?.close();
    if (isEmpty) await rm(path, { force: true });
    await lock?.[Symbol.asyncDispose]();
  };
  try {
    file = await open(path, isReadOnly ? "r" : "a+");
    return await openWith({ path, file, close }, { costOf, owner, isReadOnly });
  } catch (error) {
    await close();
    throw describeWriteError(path, error);
  }
}

type BrokenAnswer = PaidFault & { readonly finish: "broken" };

interface OpenFile {
  readonly path: string;
  readonly file: FileHandle;
  readonly close: () => Promise<void>;
}

async function openWith(
  { path, file, close }: OpenFile,
  {
    costOf,
    owner,
    isReadOnly,
  }: AnswerStoreOptions & { readonly costOf: (tokens: ReportedTokens) => number },
): Promise<AnswerStore> {
  const index = createIndex(costOf, owner);
  const size = await readAnswerLines(path, index.enter);
  if (isReadOnly !== true) await file.truncate(size);
  const write = createAppender(path, file, size);
  const append = async (key: string, said: PaidAnswer | BrokenAnswer): Promise<void> => {
    const line = { key, owner, ...said };
    index.enter(line, await write(`${JSON.stringify(line)}\n`));
  };
  return {
    path,
    totals: index.totals,
    own: index.own,
    async answers(key) {
      const places = index.places.get(key.slice(0, KEY_LENGTH)) ?? [];
      return Promise.all(places.map((place) => readLine({ path, file }, place, key)));
    },
    append,
    appendBroken: (key, taken) => append(key, { ...taken, finish: "broken" }),
    [Symbol.asyncDispose]: close,
  };
}

/** Where the answers to each question stand, and what all of them and the owner's come to. */
function createIndex(
  costOf: (tokens: ReportedTokens) => number,
  owner: string | undefined,
): Pick<AnswerStore, "totals" | "own"> & {
  readonly places: ReadonlyMap<string, readonly LinePlace[]>;
  readonly enter: (line: AnswerLine, place: LinePlace) => void;
} {
  const [totals, own] = [noTotals(), noTotals()];
  const places = new Map<string, LinePlace[]>();
  const note = (key: string, place: LinePlace): void => {
    const known = places.get(key);
    if (known === undefined) places.set(key, [place]);
    else known.push(place);
  };
  return {
    totals,
    own,
    places,
    enter(line, place) {
      const isBroken = line.finish === "broken";
      if (!isBroken) note(line.key.slice(0, KEY_LENGTH), place);
      for (const each of line.owner === owner ? [totals, own] : [totals]) {
        each[isBroken ? "broken" : "answers"]++;
        if (line.isEstimated === true) each.estimated++;
        each.promptTokens += line.promptTokens ?? 0;
        each.completionTokens += line.completionTokens ?? 0;
        each.cost += line.cost ?? costOf(line);
      }
    },
  };
}

/** The totals of a store without answers. */
export const noTotals = (): StoreTotals => ({
  answers: 0,
  broken: 0,
  estimated: 0,
  promptTokens: 0,
  completionTokens: 0,
  cost: 0,
});

async function readLine(
  { path, file }: { readonly path: string; readonly file: FileHandle },
  { at, bytes }: LinePlace,
  wanted: string,
): Promise<PaidAnswer> {
  const { buffer } = await file.read(Buffer.alloc(bytes), 0, bytes, at);
  const { key, owner: _, ...answer } = parseOwn(path, buffer.toString("utf8"));
  if (key !== wanted || answer.finish === "broken") throw changed(path);
  return answer;
}

/** A line that was whole when its place was noted. */
function parseOwn(path: string, text: string): AnswerLine {
  try {
    return JSON.parse(text) as AnswerLine; // written by append, or checked by readAnswerLines
  } catch {
    throw changed(path);
  }
}
