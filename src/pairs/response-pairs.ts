import { type Message, type RowContext, wholeTurn } from "../format/messages.ts";
import { fileArtifact } from "../util/artifact.ts";
import { writeFileAtomic } from "../util/atomic-file.ts";
import { ConfigError, FormatError } from "../util/errors.ts";
import { nearest } from "../util/nearest.ts";
import { createIdAssigner, ownId } from "./assign-ids.ts";
import { expandPatterns, type ResolveRemote } from "./expand-patterns.ts";
import { type DataFile, describeFile } from "./open-pairs.ts";
import type { UnusableRow } from "./preference-pair.ts";
import { ownField, type RowFields } from "./readers/file-row.ts";
import { readRows } from "./readers/read-rows.ts";
import { otherKind } from "./row-kind.ts";
import { readMarks, readName } from "./row-marks.ts";
import { checkPair } from "./shapes/check-pair.ts";
import { readPrompt, readResponse } from "./shapes/read-turns.ts";
import { CONTEXT_COLUMNS, readContext } from "./shapes/row-context.ts";
import { RowProblem } from "./shapes/shape.ts";
import { afterPrompt } from "./shapes/split-conversations.ts";

/** Two responses to one prompt: `after` shows the behaviour, `before` does not. */
export interface ResponsePair {
  /** The row's own id or a hash of its content; the n-th repeat ends in `#n`. */
  readonly id: string;
  readonly prompt: readonly Message[];
  readonly before: readonly Message[];
  readonly after: readonly Message[];
  /** What the row gives the template beside its turns; absent where it gives nothing. */
  readonly context?: RowContext | undefined;
  /** Pairs of one scenario weigh as one where scenarios weigh equally; default: the row's own id, repeats included. */
  readonly scenario: string;
  /** Pairs of one group are no independent draws: they are split, resampled and sign-flipped together. Default: those of one prompt. */
  readonly group?: string | undefined;
  /** Names that the row gives for what is asked, such as a format; absent where the row has none. */
  readonly tags?: readonly string[] | undefined;
}

/** The response pairs of a file (or of the files that a pattern names). */
export interface ResponsePairs {
  readonly pairs: readonly ResponsePair[];
  readonly files: readonly DataFile[];
  /** Rows whose responses cannot be compared: empty, or the same. */
  readonly unusable: readonly UnusableRow[];
  /** Columns that were not read, with the number of rows that have them. */
  readonly ignoredColumns: Readonly<Record<string, number>>;
}

const COLUMNS: readonly string[] = [
  "id",
  "pair_id",
  "uuid",
  "prompt",
  "before",
  "after",
  "scenario",
  "group",
  "tags",
  ...CONTEXT_COLUMNS,
];
/** What may be wrong with a pair in a file that is otherwise as it should be. */
const TOLERATED = new Set<string>(["empty-side", "empty-prompt", "identical-sides"]);

/**
 * Reads {id, prompt, before, after, scenario?, group?, tags?}; prompt and responses are text or message lists, tags a list of names or one
 * text with commas, the formats those of openPairs.
 * All pairs are held in memory: these files have hundreds of rows. Throws FormatError naming file and row (from 0) for a row
 * that is broken or lacks a field, ConfigError where there is no file or no usable row.
 */
export async function readResponsePairs(
  path: string,
  options: {
    readonly resolveRemote?: ResolveRemote | undefined;
    readonly signal?: AbortSignal | undefined;
  } = {},
): Promise<ResponsePairs> {
  const pairs: ResponsePair[] = [];
  const unusable: UnusableRow[] = [];
  const ignored = new Map<string, number>();
  const files: DataFile[] = [];
  const assignId = createIdAssigner();
  let row = 0;
  for (const file of await expandPatterns([path], options.resolveRemote)) {
    files.push(await describeFile(file));
    for await (const fileRow of readRows(file, { signal: options.signal })) {
      const place = { row: row++, file, fileRow: fileRow.fileRow };
      if (fileRow.kind === "broken") throw describeRow(place, fileRow.detail, "");
      for (const name of Object.keys(fileRow.fields).filter((each) => !COLUMNS.includes(each))) {
        ignored.set(name, (ignored.get(name) ?? 0) + 1);
      }
      const pair = readPair(fileRow.fields, place, assignId);
      if ("reason" in pair) unusable.push(pair);
      else pairs.push(pair);
    }
  }
  if (row === 0) {
    throw new FormatError(`${path}: expected rows {id, prompt, before, after}, got none`);
  }
  if (pairs.length === 0) throw allUnusable(path, unusable);
  return { pairs, files, unusable, ignoredColumns: Object.fromEntries(ignored) };
}

/** Writes response pairs as `culprit behavior` reads them, whole or not at all. */
export async function writeResponsePairs(
  path: string,
  pairs: readonly ResponsePair[],
): Promise<void> {
  const lines = pairs.map(({ id, scenario, group, tags, ...pair }) => {
    const [prompt, before, after] = [pair.prompt, pair.before, pair.after].map((turns) =>
      turns.map(wholeTurn),
    );
    const { tools, documents, kwargs: chat_template_kwargs } = pair.context ?? {};
    const context = { tools, documents, chat_template_kwargs };
    return JSON.stringify({ id, prompt, before, after, ...context, scenario, group, tags });
  });
  await writeFileAtomic(path, lines.map((line) => `${line}\n`).join(""));
}

/** Response pairs; writeResponsePairs writes them. */
export const RESPONSES = fileArtifact("responses.jsonl", readResponsePairs);

/** There are response pairs, and none has two responses that differ. */
export class NoUsablePairError extends ConfigError {}

function allUnusable(path: string, unusable: readonly UnusableRow[]): NoUsablePairError {
  const counts = new Map<string, number>();
  for (const { detail } of unusable) counts.set(detail, (counts.get(detail) ?? 0) + 1);
  const [first, ...others] = [...counts].toSorted((a, b) => b[1] - a[1]);
  const more = others.reduce((sum, [, count]) => sum + count, 0);
  return new NoUsablePairError(
    `${path}: none of ${unusable.length} response pairs is usable: ${first![1]} ${first![0]}${more === 0 ? "" : `, ${more} for other reasons`}`, // a row is there
    {
      hint: "A behaviour needs two responses to each prompt, one with it (after) and one without (before), that are not empty and not the same. culprit conditions makes both of the rollouts of two checkpoints.",
    },
  );
}

interface Place {
  readonly row: number;
  readonly file: string;
  readonly fileRow: number;
}

function readPair(
  fields: RowFields,
  place: Place,
  assignId: (fields: RowFields, content: unknown) => string,
): ResponsePair | UnusableRow {
  try {
    requireSides(fields);
    requireValues(fields);
    const { prompt, context } = readContext(fields, readPrompt(fields));
    const before = afterPrompt(prompt, readResponse(fields, "before"), "before");
    const after = afterPrompt(prompt, readResponse(fields, "after"), "after");
    checkPair(prompt, [
      { name: "before", turns: before },
      { name: "after", turns: after },
    ]);
    const id = assignId(fields, { prompt, before, after, context });
    const scenario = readName(fields, "scenario") ?? ownId(fields) ?? id;
    return {
      id,
      prompt,
      before,
      after,
      ...(context === undefined ? {} : { context }),
      scenario,
      ...readMarks(fields),
    };
  } catch (error) {
    if (!(error instanceof RowProblem)) throw error;
    if (!TOLERATED.has(error.reason)) {
      const detail = `${error.message}${otherKind(fields, "response pairs")}`;
      throw describeRow(place, detail, oneSided(fields));
    }
    return { kind: "unusable", ...place, reason: error.reason, detail: error.message };
  }
}

/** A side that is there and null is one that is missing in this row alone, as pandas writes it; where it is no column the file is another one. */
function requireValues(fields: RowFields): void {
  const empty = ["before", "after"].find((side) => ownField(fields, side) === null);
  if (empty !== undefined) throw new RowProblem("empty-side", `${empty}: expected text, got null`);
}

/** Names the column that was meant where a side is missing and another column is nearly called so. */
function requireSides(fields: RowFields): void {
  const found = misspelt(fields);
  if (found === undefined) return;
  throw new RowProblem(
    "missing-field",
    `${found.side}: expected a value, got none; did you mean ${found.side} by "${found.column}"?`,
  );
}

function misspelt(
  fields: RowFields,
): { readonly side: string; readonly column: string } | undefined {
  const others = Object.keys(fields).filter((name) => !COLUMNS.includes(name));
  return ["prompt", "before", "after"]
    .filter((side) => !Object.hasOwn(fields, side))
    .map((side) => ({ side, column: nearest(side, others) }))
    .find((each): each is { side: string; column: string } => each.column !== undefined);
}

/** What to do where a row has responses of one side alone. */
function oneSided(fields: RowFields): string | undefined {
  const [before, after] = ["before", "after"].map(
    (side) => (ownField(fields, side) ?? undefined) !== undefined,
  );
  if (before === after || misspelt(fields) !== undefined) return undefined;
  return `A behaviour, a classifier too, is learnt from responses with it (after) and without it (before) to the same prompts, and this row has ${before ? "a before" : "an after"}-response alone: give it the other, or take it out. culprit conditions makes both of the rollouts of two checkpoints.`;
}

function describeRow(
  place: Place,
  detail: string,
  hint = "A file of response pairs has rows {id, prompt, before, after, scenario?, group?, tags?}; rows count from 0.",
): FormatError {
  return new FormatError(`${place.file}, row ${place.fileRow}: ${detail}`, { hint });
}
