/** @file Examples of supervised fine-tuning, read from files. */
import type { Message, RowContext } from "../format/messages.ts";
import { ConfigError } from "../util/errors.ts";
import { createIdAssigner } from "./assign-ids.ts";
import { expandPatterns } from "./expand-patterns.ts";
import {
  type DataFile,
  describeFile,
  openPairs,
  type OpenPairsOptions,
  type PairSet,
} from "./open-pairs.ts";
import type { UnusableRow } from "./preference-pair.ts";
import { ownField, type ReadOptions, type RowFields } from "./readers/file-row.ts";
import { readRows } from "./readers/read-rows.ts";
import { sampleRows } from "./sample-rows.ts";
import { checkPair } from "./shapes/check-pair.ts";
import { holdsText } from "./shapes/prompt-text.ts";
import { readPrompt, readResponse, readText, readTurns } from "./shapes/read-turns.ts";
import { readContext, saidBeside } from "./shapes/row-context.ts";
import { RowProblem } from "./shapes/shape.ts";

/** One example of supervised fine-tuning. */
export type SftExample =
  | {
      readonly id: string;
      readonly prompt: readonly Message[];
      /** The turns after the prompt. */
      readonly response: readonly Message[];
      readonly context?: RowContext | undefined;
    }
  /** Plain text, tokenised as it is (special tokens in it are read as such); every token but the first carries loss. */
  | { readonly id: string; readonly text: string };

/** Files of examples, opened. */
export interface SftSet {
  readonly files: readonly DataFile[];
  /** Every row in order, each time from the start: an example, or why it is none. */
  read(options?: ReadOptions): AsyncIterable<SftExample | UnusableRow>;
}

/**
 * Opens files of examples: rows {prompt, response}, {messages} (the last turn, the assistant's, is the response), {text}, or preference
 * pairs, whose chosen sides are then meant. A row with `label: false` (KTO) is no example. Formats and errors are those of openPairs.
 */
export async function openSftFiles(
  patterns: readonly string[],
  options: OpenPairsOptions = {},
): Promise<SftSet | PairSet> {
  const paths = await expandPatterns(patterns, options.resolveRemote);
  const { columns } = await sampleRows(paths, { signal: options.signal });
  if (columns.includes("chosen") || options.shape !== undefined) {
    return openPairs(patterns, options);
  }
  if (!["text", "messages", "prompt"].some((column) => columns.includes(column))) {
    throw new ConfigError(
      `examples: expected rows {prompt, response}, {messages}, {text} or preference pairs, got columns ${columns.map((name) => JSON.stringify(name)).join(", ") || "none"}`,
    );
  }
  const files: DataFile[] = [];
  for (const path of paths) {
    files.push(await describeFile(path));
  }
  return {
    files,
    read: (readOptions = {}) => readExamples(paths, options.limit ?? Infinity, readOptions),
  };
}

async function* readExamples(
  paths: readonly string[],
  limit: number,
  options: ReadOptions,
): AsyncGenerator<SftExample | UnusableRow> {
  const assignId = createIdAssigner();
  let row = 0;
  for (const file of paths) {
    for await (const fileRow of readRows(file, options)) {
      if (row >= limit) return;
      const place = { row: row++, file, fileRow: fileRow.fileRow };
      if (fileRow.kind === "broken") {
        yield { kind: "unusable", ...place, reason: fileRow.reason, detail: fileRow.detail };
        continue;
      }
      try {
        const content = readExample(fileRow.fields);
        yield { id: assignId(fileRow.fields, content), ...content };
      } catch (error) {
        if (!(error instanceof RowProblem)) throw error;
        yield { kind: "unusable", ...place, reason: error.reason, detail: error.message };
      }
    }
  }
}

/** A prompt, its response and what the row gives the template beside them. */
interface Exchange {
  readonly prompt: readonly Message[];
  readonly response: readonly Message[];
  readonly context?: RowContext;
}

function readExample(fields: RowFields): Exchange | { text: string } {
  expectWanted(fields);
  if (ownField(fields, "messages") !== undefined) {
    const turns = readTurns(fields, "messages");
    const asked = ownField(fields, "prompt");
    const unread = typeof asked === "string" && !holdsText(turns, asked) ? ["prompt"] : [];
    return checked(fields, turns.slice(0, -1), turns.slice(-1), unread);
  }
  if (ownField(fields, "prompt") === undefined) {
    const text = readText(fields, "text");
    if (text === "") throw new RowProblem("empty-side", "text: expected some text, got none");
    // It is tokenised as it is: what stands beside it reaches no template.
    const whole = [{ role: "user", content: text }] as const;
    const { prompt, context } = readContext(fields, whole);
    const more = [
      ...prompt
        .slice(0, -1)
        .flatMap(({ role, content }) => (holdsText(whole, content) ? [] : [role])),
      ...saidBeside([], context),
    ];
    if (more.length === 0) return { text };
    throw new RowProblem("unread", `text: expected a text alone, got ${more.join(", ")} beside it`);
  }
  const prompt = readPrompt(fields);
  const column = ownField(fields, "response") === undefined ? "completion" : "response";
  return checked(fields, prompt, readResponse(fields, column));
}

/** Throws RowProblem where the row says that its response is one to unlearn, as half of the rows of KTO data do. */
function expectWanted(fields: RowFields): void {
  const label = ownField(fields, "label");
  if (label !== false && !(typeof label === "string" && /^false$/i.test(label))) return;
  throw new RowProblem(
    "unread",
    "label: expected true or none, got false: that response is one to unlearn, and SFT would teach it",
  );
}

function checked(
  fields: RowFields,
  turns: readonly Message[],
  response: readonly Message[],
  unread: readonly string[] = [],
): Exchange {
  const { prompt, context } = readContext(fields, turns, unread);
  checkPair(prompt, [{ name: "response", turns: response }]);
  return { prompt, response, ...(context === undefined ? {} : { context }) };
}
