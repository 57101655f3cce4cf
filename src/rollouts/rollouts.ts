/** @file Rollouts on disk: sampled responses, one a row, with a manifest beside them. */
import type { Message } from "../format/messages.ts";
import { promptKey } from "../pairs/prompt-key.ts";
import { ownField, type RowFields } from "../pairs/readers/file-row.ts";
import { type Fail, inRow, readWholeRows } from "../pairs/readers/whole-rows.ts";
import { type Marks, readMarks } from "../pairs/row-marks.ts";
import { kindOf } from "../pairs/shapes/kind-of.ts";
import { readPlainPrompt } from "../pairs/shapes/row-context.ts";
import type { Artifact } from "../util/artifact.ts";
import { rolloutManifestPath } from "./rollout-manifest.ts";

/** How a response can end. */
export const FINISHES = ["stop", "length", "unknown"] as const;
export type Finish = (typeof FINISHES)[number];

/** One sampled response, with the marks of its prompt. */
export interface Rollout extends Marks {
  /** `scenario/variant/sample`, see rolloutId. */
  readonly id: string;
  readonly scenario: string;
  readonly variant: string;
  /** Number of the sample within scenario and variant, from 0. */
  readonly sample: number;
  readonly prompt: readonly Message[];
  readonly response: string;
  /** The prompt, as the model saw it, opened thinking: what comes before a `</think>` is no answer. Default false. */
  readonly opensThinking?: boolean | undefined;
  /** `stop`: the model ended it; `length`: the limit of tokens or the end of the context; `unknown`: nobody said which. */
  readonly finish: Finish;
  /** Sampled tokens, a stop token included. Absent where nobody counted them, as in imported rows. */
  readonly tokens?: number | undefined;
}

/** The id of a rollout, by what it is a sample of. */
export const rolloutId = (
  { scenario, variant }: Pick<Rollout, "scenario" | "variant">,
  sample: number,
): string => `${scenario}/${variant}/${sample}`;

/** Rollouts with their manifest; openRolloutSink writes it. */
export const ROLLOUTS = {
  name: "rollouts.jsonl",
  files: (path: string): readonly string[] => [path, rolloutManifestPath(path)],
  read: (path: string): Promise<AsyncIterable<Rollout>> => Promise.resolve(readRollouts(path)),
} as const satisfies Artifact<AsyncIterable<Rollout>>;

const HINT =
  'A rollout is {"id", "scenario", "variant", "sample", "prompt": [{role, content}], "response", "finish", "tokens"?, "group"?, "tags"?, "system"?}; rows count from 0. culprit import makes them of other programs\' responses.';

/**
 * Streams the rollouts of a file (JSON lines, JSON or Parquet) in its order. Throws FormatError naming file and row (from 0) where
 * one is broken, incomplete or there twice, or its prompt says more than roles and texts or is
 * another one than that of the samples beside it. Memory: the ids, and a hash for each prompt.
 */
export async function* readRollouts(
  path: string,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<Rollout, void, undefined> {
  const rowOf = new Map<string, number>();
  const promptOf = new Map<string, string>();
  const rows = readWholeRows(path, { hint: HINT, kind: "rollouts", signal });
  for await (const { fields, fileRow, fail } of rows) {
    const rollout = readRollout(fields, fail);
    const earlier = rowOf.get(rollout.id);
    if (earlier !== undefined) throw fail(`its id is that of row ${earlier} too`);
    rowOf.set(rollout.id, fileRow);
    const place = JSON.stringify([rollout.scenario, rollout.variant]);
    const prompt = promptKey(rollout.prompt).slice(0, 16);
    if ((promptOf.get(place) ?? prompt) !== prompt) {
      throw fail("its scenario and variant are those of a row with another prompt");
    }
    promptOf.set(place, prompt);
    yield rollout;
  }
}

function readRollout(fields: RowFields, fail: Fail): Rollout {
  const text = (name: string): string => {
    const value = ownField(fields, name);
    if (typeof value === "string") return value;
    throw fail(`${name}: expected text, got ${kindOf(value)}`);
  };
  const count = (name: string): number => {
    const value = ownField(fields, name);
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
    throw fail(`${name}: expected a whole number from 0, got ${kindOf(value)}`);
  };
  const finish = readFinish(text("finish"), fail);
  return {
    id: text("id"),
    scenario: text("scenario"),
    variant: text("variant"),
    sample: count("sample"),
    prompt: readPrompt(fields, fail),
    response: text("response"),
    opensThinking: ownField(fields, "opensThinking") === true ? true : undefined,
    finish,
    tokens: isGiven(ownField(fields, "tokens")) ? count("tokens") : undefined,
    ...inRow(fail, () => readMarks(fields)),
  };
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

/** Throws what `fail` makes where a value is not one of FINISHES. */
export function readFinish(value: unknown, fail: Fail): Finish {
  const known = FINISHES.find((each) => each === value);
  if (known !== undefined) return known;
  throw fail(`finish: expected one of ${FINISHES.join(", ")}`);
}

/** The prompt, whose turns are roles and texts: judges and checkpoints would read a row that says more without it. */
function readPrompt(fields: RowFields, fail: Fail): readonly Message[] {
  const value = ownField(fields, "prompt");
  if (!Array.isArray(value)) throw fail("prompt: expected a list of {role, content}");
  return inRow(fail, () => readPlainPrompt(fields));
}
