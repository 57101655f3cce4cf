import { createIdAssigner } from "../pairs/assign-ids.ts";
import type { RowFields } from "../pairs/readers/file-row.ts";
import { readRows } from "../pairs/readers/read-rows.ts";
import { type Fail, inRow, readWholeRows } from "../pairs/readers/whole-rows.ts";
import { readMarks, readName } from "../pairs/row-marks.ts";
import { readPlainPrompt } from "../pairs/shapes/row-context.ts";
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
  readonly kind: "scenarios" | "prompts";
  /** Variants that only some scenarios have, and that are not sampled; none where variants were asked for. */
  readonly omitted: readonly OmittedVariant[];
  /** Keys of a scenarios file that mean nothing; none of other files. */
  readonly unknownKeys: readonly UnknownKey[];
}

const HINT =
  'A prompt is {"prompt": text or [{role, content}], "id"?, "scenario"?, "variant"?, "group"?, "tags"?}; rows count from 0. A scenarios file has "base" instead.';

/**
 * Reads prompts from a scenarios file (see readScenarios), in the `variants` asked for, or from rows {prompt, id?, scenario?, variant?, group?, tags?}
 * of any row format: the scenario is the row's own or its id or a hash of its content, the variant its own or `base`. Throws
 * FormatError naming file and row where one is broken or repeats a scenario and variant, ConfigError where there is no prompt or
 * where variants are asked of a file that is no scenarios file.
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
    };
  }
  if (variants !== undefined) {
    throw new ConfigError(`${path}: has whole prompts, variants are those of a scenarios file`, {
      hint: "Leave the variants out, or give a scenarios file.",
    });
  }
  const prompts = await readPromptRows(path);
  return { prompts, sha256: await hashFile(path), kind: "prompts", omitted: [], unknownKeys: [] };
}

/** What a file holds, by its first row. */
async function contentOf(path: string): Promise<RolloutPrompts["kind"] | "nothing"> {
  if (/\.ya?ml$/i.test(path)) return "scenarios";
  for await (const row of readRows(path)) {
    const isPrompt = row.kind === "fields" && Object.hasOwn(row.fields, "prompt");
    return isPrompt ? "prompts" : "scenarios";
  }
  return "nothing";
}

async function readPromptRows(path: string): Promise<readonly ScenarioPrompt[]> {
  const prompts: ScenarioPrompt[] = [];
  const rowOf = new Map<string, number>();
  const assignId = createIdAssigner();
  for await (const { fields, fileRow, fail } of readWholeRows(path, { hint: HINT })) {
    const prompt = readPromptRow(fields, assignId, fail);
    const key = JSON.stringify([prompt.scenario, prompt.variant]);
    const earlier = rowOf.get(key);
    if (earlier !== undefined) throw fail(`its scenario and variant are those of row ${earlier}`);
    rowOf.set(key, fileRow);
    prompts.push(prompt);
  }
  return prompts;
}

/** The prompt of one row. `fail` makes the error that names file and row. */
export function readPromptRow(
  fields: RowFields,
  assignId: (fields: RowFields, content: unknown) => string,
  fail: Fail,
): ScenarioPrompt {
  return inRow(fail, () => {
    const prompt = readPlainPrompt(fields);
    if (prompt.every(({ content }) => content.trim() === "")) throw fail("prompt: it has no text");
    return {
      scenario: readName(fields, "scenario") ?? assignId(fields, prompt),
      variant: variantName(readName(fields, "variant") ?? "base"),
      prompt,
      ...readMarks(fields),
    };
  });
}
