import { z } from "zod";

import type { UnknownKey } from "../../pairs/unknown-keys.ts";
import { drawScenarios } from "../../rollouts/draw-scenarios.ts";
import { readRolloutPrompts } from "../../rollouts/rollout-prompts.ts";
import type { ScenarioPrompt } from "../../rollouts/scenarios.ts";
import { ConfigError } from "../../util/errors.ts";
import { createRng } from "../../util/rng.ts";
import { count, nonEmpty, seed } from "../../util/setting-kinds.ts";
import { printable } from "../../util/text-table.ts";
import type { Input } from "../verb.ts";
import { noteColumns } from "./note-columns.ts";

/** Unknown keys listed in a warning. */
const MAX_KEYS = 6;

/** Which prompts of a file are sampled. */
export const promptSettings = z.strictObject({
  variants: z
    .array(nonEmpty)
    .min(1)
    .optional()
    .describe(
      "Variants of a scenarios file, such as base,base+distractor. Absent: those that all scenarios have.",
    ),
  limit: count.optional().describe("The first prompts only. Absent: all."),
  draw: count
    .optional()
    .describe(
      "So many scenarios, or prompts of other files, drawn by chance from those, each with all its variants: files are often sorted. Absent: all.",
    ),
  drawSeed: seed.optional().describe("Seed of what is drawn. Absent: 0."),
});

/** Scenarios or prompts, read; variants that only some scenarios have are warned of, since those are not sampled. */
export const promptsInput = {
  kind: "prompts",
  placeholder: "PROMPTS",
  describe: "One file of prompts or scenarios.",
  isPositional: true,
  settings: promptSettings,
  open: async (
    [path = ""],
    { variants, limit, draw, drawSeed },
    work,
  ): Promise<readonly ScenarioPrompt[]> => {
    const { warn } = work;
    if (draw === undefined && drawSeed !== undefined) {
      throw new ConfigError("drawSeed: expected draw with it, got none");
    }
    const read = await readRolloutPrompts(path, { variants });
    if (read.kind !== "scenarios") await noteColumns(path, read.kind, work);
    if (read.promptless !== undefined) {
      const { rows, first } = read.promptless;
      warn(
        `${path}: ${rows} ${rows === 1 ? "pair is" : "pairs are"} left out, whose prompt cannot be read; row ${first.row} first: ${printable(first.detail)}`,
      );
    }
    for (const { variant, lacking, first } of read.omitted) {
      warn(
        `${path}: the variant "${printable(variant)}" is not sampled, since ${lacking} ${lacking === 1 ? "scenario has" : "scenarios have"} none of it, "${printable(first)}" first; give them one, or name with variants what to sample`,
      );
    }
    for (const line of describeUnknownKeys(path, read.unknownKeys)) warn(line);
    const prompts = read.prompts.slice(0, limit);
    if (draw === undefined) return prompts;
    const there = new Set(prompts.map(({ scenario }) => scenario)).size;
    if (draw > there) {
      warn(
        `draw: ${draw} were asked for, ${there} are there${limit === undefined ? "" : " within limit"}: all are taken`,
      );
    }
    return drawScenarios(prompts, draw, createRng(drawSeed ?? 0));
  },
} as const satisfies Input<readonly ScenarioPrompt[], typeof promptSettings>;

/** One line for all of them: side columns are allowed, and a mistyped key changes what is sampled. */
export function describeUnknownKeys(path: string, unknown: readonly UnknownKey[]): string[] {
  if (unknown.length === 0) return [];
  const list = unknown.map(({ key, row, rows, near }) => {
    const meant = near === undefined ? "" : `; did you mean "${near}"?`;
    return `"${printable(key)}" (row ${row}${rows === 1 ? "" : ` first, ${rows} rows`}${meant})`;
  });
  const shown = list.slice(0, MAX_KEYS).join(", ");
  const more = list.length > MAX_KEYS ? ` and ${list.length - MAX_KEYS} more` : "";
  return [`${path}: scenarios have keys that mean nothing and are left out: ${shown}${more}`];
}
