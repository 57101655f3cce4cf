import { createIdAssigner } from "../pairs/assign-ids.ts";
import type { RowFields } from "../pairs/readers/file-row.ts";
import { readRows } from "../pairs/readers/read-rows.ts";
import { type Fail, inRow, readWholeRows } from "../pairs/readers/whole-rows.ts";
import { readMarks, readName } from "../pairs/row-marks.ts";
import { isAbsent } from "../pairs/shapes/read-turns.ts";
import { plainPrompt, readPlainPrompt } from "../pairs/shapes/row-context.ts";
import { type PairTurns, RowProblem } from "../pairs/shapes/shape.ts";
import { PAIR_SHAPES, SHAPES } from "../pairs/shapes/shapes.ts";
import type { UnknownKey } from "../pairs/unknown-keys.ts";
import { ConfigError } from "../util/errors.ts";
import { hashFile } from "../util/hash.ts";
import { variantName } from "./scenario-document.ts";
import {
  type OmittedVariant,
  readScenarios,
  scenarioPrompts,
  type ScenarioPrompt,
} from "./scenarios.ts";

/** The prompts of a file, ready to sample responses to. */
export interface RolloutPrompts {
  /** No two have the same scenario and variant. */
  readonly prompts: readonly ScenarioPrompt[];
  /** SHA-256 of the file. */
  readonly sha256: string;
  readonly kind: "scenarios" | "prompts" | "pairs";
  /** Variants that only some scenarios have, and that are not sampled; none where variants were asked for. */
  readonly omitted: readonly OmittedVariant[];
  /** Keys of a scenarios file that mean nothing; none of other files. */
  readonly unknownKeys: readonly UnknownKey[];
  /** Rows of preference pairs that have no prompt, which is usual in public sets; undefined where every row has one. */
  readonly promptless: PromptlessRows | undefined;
}

/** Rows that are left out. */
export interface PromptlessRows {
  readonly rows: number;
  /** The first of them, and what is wrong with it. */
  readonly first: { readonly row: number; readonly detail: string };
}

const HINT =
  'A prompt is {"prompt": text or [{role, content}], "id"?, "scenario"?, "variant"?, "group"?, "tags"?}; rows count from 0. A scenarios file has "base" instead.';

/**
 * Reads prompts from a scenarios file (see readScenarios), in the `variants` asked for, or from rows {prompt, id?, scenario?, variant?, group?, tags?}
 * of any row format: the scenario is the row's own or its id or a hash of its content, the variant its own or `base`. Preference pairs of any
 * shape (see PAIR_SHAPES) are prompts too, those of hh-rlhf say, whose prompt is what both sides begin with. Throws FormatError naming file and
 * row where one is broken or repeats a scenario and variant, ConfigError where there is no prompt or where variants are asked of a file that is
 * no scenarios file.
 */
export async function readRolloutPrompts(
  path: string,
  { variants }: { readonly variants?: readonly string[] | undefined } = {},
): Promise<RolloutPrompts> {
  const content = await contentOf(path);
  if (content === "nothing") {
    const what = variants === undefined ? "prompts or scenarios" : "scenarios";
    throw new ConfigError(`${path}: expected ${what}, got none`, { hint: HINT });
  }
  if (content === "scenarios") {
    const set = await readScenarios(path);
    return {
      prompts: scenarioPrompts(set, variants),
      sha256: set.sha256,
      kind: "scenarios",
      omitted: variants === undefined ? set.omitted : [],
      unknownKeys: set.unknownKeys,
      promptless: undefined,
    };
  }
  if (variants !== undefined) {
    throw new ConfigError(`${path}: has whole prompts, variants are those of a scenarios file`, {
      hint: "Leave the variants out, or give a scenarios file.",
    });
  }
  const read = await readPromptRows(path, content);
  const { promptless } = read;
  if (read.prompts.length === 0) {
    throw new ConfigError(
      `${path}: expected pairs with a prompt, got none of ${promptless?.rows ?? 0}${promptless === undefined ? "" : `; row ${promptless.first.row}: ${promptless.first.detail}`}`,
      { hint: KNOWN_PAIRS },
    );
  }
  return { ...read, sha256: await hashFile(path), kind: content, omitted: [], unknownKeys: [] };
}

/** What a file holds, by its first row. */
async function contentOf(path: string): Promise<RolloutPrompts["kind"] | "nothing"> {
  if (/\.ya?ml$/i.test(path)) return "scenarios";
  for await (const row of readRows(path)) {
    const has = (column: string): boolean =>
      row.kind === "fields" && Object.hasOwn(row.fields, column);
    if (has("chosen") && has("rejected") && !has("base")) return "pairs";
    return has("prompt") ? "prompts" : "scenarios";
  }
  return "nothing";
}

async function readPromptRows(
  path: string,
  content: "prompts" | "pairs",
): Promise<Pick<RolloutPrompts, "prompts" | "promptless">> {
  const prompts: ScenarioPrompt[] = [];
  const rowOf = new Map<string, number>();
  const assignId = createIdAssigner();
  let promptless: { rows: number; readonly first: PromptlessRows["first"] } | undefined;
  for await (const { fields, fileRow, fail } of readWholeRows(path, { hint: HINT })) {
    const found = content === "pairs" ? turnsOfPair(fields) : undefined;
    if (typeof found === "string") {
      promptless ??= { rows: 0, first: { row: fileRow, detail: found } };
      promptless.rows++;
      continue;
    }
    const prompt = readPromptRow(fields, assignId, fail, found);
    const key = JSON.stringify([prompt.scenario, prompt.variant]);
    const earlier = rowOf.get(key);
    if (earlier !== undefined) throw fail(`its scenario and variant are those of row ${earlier}`);
    rowOf.set(key, fileRow);
    prompts.push(prompt);
  }
  return { prompts, promptless };
}

const KNOWN_PAIRS = `A prompt is the column prompt, or what both sides of a pair begin with. Known shapes: ${PAIR_SHAPES.map((shape) => `${shape} (${SHAPES[shape].describe})`).join("; ")}.`;

/** What a row of preference pairs asks, and what it says that its shape does not read; or why it has no prompt. */
function turnsOfPair(fields: RowFields): GivenTurns | string | undefined {
  const shape = PAIR_SHAPES.find((each) => SHAPES[each].matches(fields));
  if (shape === undefined && isAbsent(fields, "prompt")) return "expected a pair of a known shape";
  // The column prompt is the whole of it: nothing of the sides is looked at.
  if (shape === undefined || shape.startsWith("trl-")) return undefined;
  try {
    const { prompt, unread } = SHAPES[shape].read(fields);
    return { prompt, unread };
  } catch (error) {
    if (error instanceof RowProblem) return error.message;
    throw error;
  }
}

/** Turns that were read already. */
type GivenTurns = Pick<PairTurns, "prompt" | "unread">;

/** The prompt of one row, of its column prompt where its turns are not given. `fail` makes the error that names file and row. */
export function readPromptRow(
  fields: RowFields,
  assignId: (fields: RowFields, content: unknown) => string,
  fail: Fail,
  given?: GivenTurns,
): ScenarioPrompt {
  return inRow(fail, () => {
    const prompt =
      given === undefined
        ? readPlainPrompt(fields)
        : plainPrompt(fields, given.prompt, given.unread);
    if (prompt.every(({ content }) => content.trim() === "")) throw fail("prompt: it has no text");
    return {
      scenario: readName(fields, "scenario") ?? assignId(fields, prompt),
      variant: variantName(readName(fields, "variant") ?? "base"),
      prompt,
      ...readMarks(fields),
    };
  });
}
