/** @file Base prompts: the requests in files of any kind that the project reads, from which scenarios are composed. */
import type { Message } from "../format/messages.ts";
import { expandPatterns, type ResolveRemote } from "../pairs/expand-patterns.ts";
import { openPairs } from "../pairs/open-pairs.ts";
import type { PreferencePair } from "../pairs/preference-pair.ts";
import { ownField, type RowFields } from "../pairs/readers/file-row.ts";
import { readRows } from "../pairs/readers/read-rows.ts";
import { type Fail, inRow, readWholeRows, type WholeRow } from "../pairs/readers/whole-rows.ts";
import { readText as readWholeText } from "../pairs/readers/yaml-document.ts";
import { readTags } from "../pairs/row-marks.ts";
import { readText } from "../pairs/shapes/read-turns.ts";
import { plainPrompt, readPlainPrompt, saidBeside } from "../pairs/shapes/row-context.ts";
import { ConfigError, FormatError } from "../util/errors.ts";
import { readScenarioDocument } from "./scenario-document.ts";

/** A request by itself. */
export interface BasePrompt {
  readonly text: string;
  /** Those of its row. */
  readonly tags: readonly string[];
}

export interface BasePrompts {
  /** As the patterns name them, or as globs expanded. */
  readonly files: readonly string[];
  /** In the order of the files, repeats included. */
  readonly prompts: readonly BasePrompt[];
  /** Rows that are no single request, by reason: `several-turns`, `comment`, or why a row is no preference pair. */
  readonly skipped: Readonly<Record<string, number>>;
}

export interface ReadBasePromptsOptions {
  /** The first rows only, skipped ones counted. Default: all. */
  readonly limit?: number | undefined;
  /** Brings `hf://datasets/…` files onto this machine. */
  readonly resolveRemote?: ResolveRemote | undefined;
  readonly signal?: AbortSignal | undefined;
}

const HINT =
  'A base prompt is {"prompt": text or one user turn, "tags"?} or {"base": text, "tags"?}, a preference pair, or a line of a .txt file; rows count from 0.';

/** How lines begin that people write for people. */
const COMMENT = /^\s*(#(\s|$)|\/\/)/;

/**
 * Reads requests from rows {prompt} or {base} (JSON lines, JSON, CSV, Parquet, a YAML list), from preference pairs of any shape, or
 * from the lines of a `.txt` file, gzipped or not, of which those that begin with "# " or "//" are comments. These, prompts of several turns and rows that are no pair are skipped and counted. Throws
 * FormatError naming file and row for one that is broken, has no request or has a distractor, ConfigError where there is no prompt.
 */
export async function readBasePrompts(
  patterns: readonly string[],
  options: ReadBasePromptsOptions = {},
): Promise<BasePrompts> {
  const files = await expandPatterns(patterns, options.resolveRemote);
  const prompts: BasePrompt[] = [];
  const skipped = new Map<string, number>();
  let rows = 0;
  for (const path of files) {
    if (rows === options.limit) break;
    for await (const row of readFile(path, options.signal)) {
      if (rows === options.limit) break;
      rows++;
      if ("text" in row) prompts.push(row);
      else skipped.set(row.skipped, (skipped.get(row.skipped) ?? 0) + 1);
    }
  }
  if (prompts.length === 0) {
    throw new ConfigError(`${patterns.join(", ")}: expected base prompts, got none`, {
      hint:
        rows === 0 ? HINT : `Each of ${rows} rows was skipped: ${[...skipped.keys()].join(", ")}.`,
    });
  }
  return { files, prompts, skipped: Object.fromEntries(skipped) };
}

type BaseRow = BasePrompt | { readonly skipped: string };

async function* readFile(path: string, signal: AbortSignal | undefined): AsyncGenerator<BaseRow> {
  if (/\.txt(\.gz)?$/i.test(path)) {
    const lines = (await readWholeText(path)).split(/\r?\n/);
    yield* lines
      .filter((line) => line.trim() !== "")
      .map((text) => (COMMENT.test(text) ? { skipped: "comment" } : { text, tags: [] }));
  } else if (await holdsPairs(path, signal)) {
    const pairs = await openPairs([path], { signal });
    for await (const pair of pairs.read({ signal })) {
      yield pair.kind === "pair" ? ofPair(pair) : { skipped: pair.reason };
    }
  } else {
    for await (const { fields, fileRow } of numberedRows(path, signal)) {
      yield readRow(fields, `${path}, row ${fileRow}`);
    }
  }
}

/** Whether the first row is a preference pair; its prompt column, if any, may hold less than the whole prompt. */
async function holdsPairs(path: string, signal: AbortSignal | undefined): Promise<boolean> {
  if (/\.ya?ml$/i.test(path)) return false;
  for await (const row of readRows(path, { signal })) {
    return row.kind === "fields" && Object.hasOwn(row.fields, "chosen");
  }
  return false;
}

/** Rows of a file of any kind; those of a document are there as a whole. */
async function* numberedRows(
  path: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Pick<WholeRow, "fields" | "fileRow">> {
  if (!/\.(ya?ml|json)$/i.test(path)) yield* readWholeRows(path, { hint: HINT, signal });
  else {
    const { rows } = await readScenarioDocument(path);
    yield* rows.map(({ row, fields }) => ({ fileRow: row, fields }));
  }
}

function readRow(fields: RowFields, place: string): BaseRow {
  const fail: Fail = (detail) => new FormatError(`${place}: ${detail}`, { hint: HINT });
  const distractor = ownField(fields, "distractor") ?? "";
  if (distractor !== "") {
    throw new FormatError(`${place}: expected a request alone, got one with a distractor`, {
      hint: "Scenarios that are composed already can be split: give them as scenarios.",
    });
  }
  return inRow(fail, () => {
    const tags = readTags(fields) ?? [];
    const turns: readonly Message[] = Object.hasOwn(fields, "base")
      ? plainPrompt(fields, [{ role: "user", content: readText(fields, "base") }])
      : readPlainPrompt(fields);
    if (turns.every(({ content }) => content.trim() === "")) throw fail("the request has no text");
    return ofTurns(turns, tags);
  });
}

/** A request is a text alone: one that goes with tools or documents would be another request without them. */
function ofPair({ prompt, context }: PreferencePair): BaseRow {
  return saidBeside(prompt, context).length > 0 ? { skipped: "unread" } : ofTurns(prompt, []);
}

function ofTurns(turns: readonly Message[], tags: readonly string[]): BaseRow {
  const [turn] = turns;
  if (turn === undefined || turns.length > 1 || turn.role !== "user") {
    return { skipped: "several-turns" };
  }
  return turn.content.trim() === "" ? { skipped: "empty-prompt" } : { text: turn.content, tags };
}
