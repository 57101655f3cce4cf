/** @file The text of pairs, for methods that read it, and what rows say that no text shows: one rule for all of these methods. */
import { spokenKeys, untoldKeysOf } from "../model/unread-keys.ts";
import { createNameCounter, type NameCounter } from "../pairs/name-counter.ts";
import type { PreferencePair } from "../pairs/preference-pair.ts";
import type { ResponsePair } from "../pairs/response-pairs.ts";
import { unreadCause } from "../pairs/tokenize-sides.ts";
import { ConfigError } from "../util/errors.ts";
import type { JobOptions } from "../util/progress.ts";
import type { MethodTask, Scored } from "./method.ts";

/** The text of a row. */
export interface RowText {
  readonly row: number;
  readonly pair: PreferencePair;
}

type TextTask = Pick<MethodTask<"pairs">, "rows" | "pairs">;

/** The text of every row, each once, in the order of the files. Throws ConfigError at the end where that of some row is missing. */
export async function* readText(
  { rows, pairs }: TextTask,
  { signal, progress }: JobOptions,
): AsyncGenerator<RowText> {
  const rowOf = new Map(rows.ids.map((id, row) => [id, row]));
  const total = rows.ids.length;
  let done = 0;
  for await (const pair of pairs.read({ signal })) {
    const row = pair.kind === "pair" ? rowOf.get(pair.id) : undefined;
    if (pair.kind !== "pair" || row === undefined) continue;
    yield { row, pair };
    done++;
    progress?.update(done, total);
  }
  if (done === total) return;
  throw new ConfigError(`pairs: expected the text of ${total} pairs, got that of ${done}`, {
    hint: "Name the files that were embedded.",
  });
}

/** Rows for a method that scores text and has no template to show the rest by. */
export interface TextRows {
  /** The rows of which the method reads all that it should; the others have causes. May be called again. */
  read(): AsyncGenerator<RowText>;
  /** Why rows were not among those that `read` gave. */
  readonly causes: ReadonlyMap<number, string>;
  /** What the method makes of what else the rows say, sentences; once `read` is through. */
  remarks(): NonNullable<Scored["remarks"]>;
}

/**
 * What a method by text reads of a pair. `responses`: the two texts; what stands beside the prompt (tools, template variables, calls) is passed
 * over and named. `conversation`: all of it, as text.
 */
export type TextScope = "responses" | "conversation";

/** Leaves out rows with images and the like, as embedding does: their text is not all that the model saw. */
export function textRows(task: TextTask, job: JobOptions, scope: TextScope): TextRows {
  const causes = new Map<number, string>();
  let beside = createBeside();
  return {
    async *read() {
      beside = createBeside();
      for await (const each of readText(task, job)) {
        const { prompt, chosen, rejected, context = {} } = each.pair;
        const unread = unreadOf({ context, responses: [chosen, rejected] }, scope);
        if (unread.length > 0) {
          causes.set(each.row, unreadCause(unread));
          continue;
        }
        const responses = scope === "responses" ? [] : [chosen, rejected];
        beside.add(spokenKeys(prompt, responses, context));
        yield each;
      }
    },
    causes,
    remarks: () => beside.remarks(scope),
  };
}

/** What no text of a pair shows. */
function unreadOf(
  {
    context = {},
    responses,
  }: {
    readonly context?: PreferencePair["context"];
    readonly responses: readonly PreferencePair["chosen"][];
  },
  scope: TextScope,
): readonly string[] {
  const untold = scope === "responses" ? responses.flat().flatMap(untoldKeysOf) : [];
  return [...new Set([...(context.unread ?? []), ...untold])];
}

interface Beside extends Pick<NameCounter, "add"> {
  remarks(scope: TextScope): readonly string[];
}

function createBeside(): Beside {
  const names = createNameCounter();
  return {
    add: (said) => names.add(said),
    remarks(scope) {
      const list = describeNames(names);
      if (list === "") return [];
      return scope === "responses"
        ? [
            `Only the responses are read: what rows say beside the text of the prompt counts for nothing here (${list} pairs).`,
          ]
        : [`What rows say beside their turns' text is shown as JSON (${list} pairs).`];
    },
  };
}

/** `tools 3, enable_thinking 1`; "" where there are none. */
const describeNames = (names: Pick<NameCounter, "report">): string =>
  names
    .report()
    .map((each) => `${each.name} ${each.pairs}`)
    .join(", ");

/** Response pairs whose responses a method by text reads, and a sentence where others are left out. Throws ConfigError where there is none. */
export function readableResponses(pairs: readonly ResponsePair[]): {
  readonly pairs: readonly ResponsePair[];
  readonly remarks: readonly string[];
} {
  const left = createNameCounter();
  const beside = createNameCounter();
  const readable = pairs.filter(({ prompt, before, after, context = {} }) => {
    const unread = unreadOf({ context, responses: [before, after] }, "responses");
    if (unread.length > 0) left.add([unreadCause(unread)]);
    else beside.add(spokenKeys(prompt, [], context));
    return unread.length === 0;
  });
  const causes = describeNames(left);
  if (readable.length === 0) {
    throw new ConfigError(
      `responses: expected response pairs whose text can be read, got none of ${pairs.length} (${causes})`,
    );
  }
  const passed = describeNames(beside);
  const count = pairs.length - readable.length;
  return {
    pairs: readable,
    remarks: [
      ...(count === 0 ? [] : [`Left out: ${count} of ${pairs.length} response pairs (${causes}).`]),
      ...(passed === ""
        ? []
        : [`Of response pairs, too, only the responses are read (${passed} pairs).`]),
    ],
  };
}
