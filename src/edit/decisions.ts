/**
 * @file What people decided of pairs, one by one: a file of JSON lines that only grows. Its first line says of which data, every other one
 * what a pair's decision and note are from then on; the last of a pair counts, and one without either takes the decision back.
 */
import { readFile } from "node:fs/promises";

import { z } from "zod";

import type { Plain } from "../util/artifact.ts";
import { FormatError } from "../util/errors.ts";
import { expectKeysOnce } from "../util/json-scan.ts";
import { describeReadFault, ifMissing } from "../util/read-fault.ts";

export const DECISIONS = ["keep", "drop", "swap", "unsure"] as const;
/** `drop`: not to be trained on. `swap`: chosen and rejected are the wrong way round. */
export type DecisionKind = (typeof DECISIONS)[number];

/** Characters of a note, at most. */
export const MAX_NOTE = 4_000;

export const decisionSchema = z.strictObject({
  id: z.string(),
  /** Null where there is none (any more). */
  decision: z.enum(DECISIONS).nullable(),
  note: z.string().max(MAX_NOTE),
});
/** What was decided of one pair. */
export type Decision = Plain<typeof decisionSchema>;

const lineSchema = decisionSchema.extend({
  /** ISO 8601. */
  at: z.string(),
});

export const headSchema = z.strictObject({
  format: z.literal("culprit-decisions"),
  version: z.literal(1),
  /** Content hash of the pairs. */
  pairs: z.string(),
});

/** A file of decisions as it stands. */
export interface DecisionFile {
  readonly path: string;
  /** Content hash of the pairs that it is about. */
  readonly pairs: string;
  /** The last of each pair, without those that were taken back; in the order in which pairs were first decided. */
  readonly decisions: ReadonlyMap<string, Decision>;
  /** Bytes of whole lines. */
  readonly size: number;
  /** Bytes behind them, of a line that a crash cut off; 0 where there are none. */
  readonly torn: number;
}

/** Reads decisions; undefined where there is no file, or a crash left one without a whole line. Throws FormatError naming the line (from 1). */
export async function findDecisions(path: string): Promise<DecisionFile | undefined> {
  const bytes = await readFile(path).catch(ifMissing);
  return bytes && parseDecisions(path, bytes);
}

/** Reads decisions. Throws ConfigError where the file cannot be opened, FormatError where there are none in it. */
export async function readDecisions(path: string): Promise<DecisionFile> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw describeReadFault(path, error);
  });
  const found = parseDecisions(path, bytes);
  if (found === undefined) throw notDecisions(path);
  return found;
}

function parseDecisions(path: string, bytes: Buffer): DecisionFile | undefined {
  const size = bytes.lastIndexOf(10) + 1;
  const torn = bytes.length - size;
  const [first, ...lines] = bytes.toString("utf8", 0, size).split("\n").slice(0, -1);
  if (first === undefined) {
    // Only what may be a cut first line may be written over.
    if (HEAD.startsWith(bytes.toString("utf8", 0, HEAD.length))) return undefined;
    throw notDecisions(path);
  }
  const head = headSchema.safeParse(parse(first));
  if (!head.success) throw notDecisions(path);
  const decisions = new Map<string, Decision>();
  for (const [i, text] of lines.entries()) {
    const value = parse(text);
    if (value !== undefined) expectKeysOnce(path, text, value, i + 2);
    const line = lineSchema.safeParse(value);
    if (!line.success) {
      throw new FormatError(`${path}, line ${i + 2}: expected a decision, got something else`, {
        hint: "Take the line out; the others stay as they are.",
      });
    }
    const { at: _, ...decision } = line.data;
    if (isBlank(decision)) decisions.delete(decision.id);
    else decisions.set(decision.id, decision);
  }
  return { path, pairs: head.data.pairs, decisions, size, torn };
}

/** How every file of decisions begins. */
const HEAD = '{"format":"culprit-decisions"';

/** The first line of a file about these pairs. */
export const headLine = (pairs: string): string =>
  `${JSON.stringify({ format: "culprit-decisions", version: 1, pairs } satisfies z.input<typeof headSchema>)}\n`;

/** The line of a decision made now. */
export const decisionLine = (decision: Decision): string =>
  `${JSON.stringify({ ...decision, at: new Date().toISOString() } satisfies z.input<typeof lineSchema>)}\n`;

/** Whether there is nothing in it: taken back. */
export const isBlank = ({ decision, note }: Decision): boolean => decision === null && note === "";

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // which no schema takes
  }
}

const notDecisions = (path: string): FormatError =>
  new FormatError(`${path}: expected the decisions of a review, got something else`, {
    hint: "Name a file that culprit report --serve wrote; it begins one itself where there is none.",
  });
