/** @file Columns of prompts, tasks, rollouts and the like that nothing reads: said by name, since a request may stand in one. */
import { existsSync } from "node:fs";

import { ID_COLUMNS } from "../../pairs/assign-ids.ts";
import { readRows } from "../../pairs/readers/read-rows.ts";
import { CONTEXT_COLUMNS } from "../../pairs/shapes/row-context.ts";
import { printable } from "../../util/text-table.ts";
import type { OpenWork } from "../verb.ts";

const ASKED = [...ID_COLUMNS, ...CONTEXT_COLUMNS, "prompt"];
const MARKED = [...ASKED, "scenario", "variant", "group", "tags"];
const ANSWERED = [...MARKED, "response", "finish", "tokens"];

/** What is read of each kind of row; what row contexts refuse by name is an error before. */
const READ = {
  prompts: MARKED,
  // `prompt` repeats what the sides begin with, or is read.
  pairs: [...MARKED, "chosen", "rejected", "conversations", "messages"],
  responses: [...ANSWERED, "responses"],
  rollouts: [...ANSWERED, "sample", "opensThinking"],
  tasks: [...ASKED, "pattern"],
  bases: [...MARKED, "base", "distractor", "chosen", "rejected", "messages", "source"],
  constraints: [...ASKED, "text", "tags"],
  examples: [...ASKED, "response", "completion", "messages", "text"],
} as const satisfies Record<string, readonly string[]>;

/** Rows that are looked at. */
const SAMPLE = 200;

/** Notes the columns of the first rows of a file that are none of those. */
export async function noteColumns(
  path: string,
  kind: keyof typeof READ,
  { note, signal }: Pick<OpenWork, "note" | "signal">,
): Promise<void> {
  // Lines of text have no columns, and documents name them in their own reading.
  if (/\.(txt|ya?ml)(\.gz)?$/i.test(path)) return;
  // Contradictions of flags are told before a file that is not there, which its reader names.
  if (!existsSync(path)) return;
  const known: readonly string[] = READ[kind];
  const found = new Set<string>();
  let rows = 0;
  for await (const row of readRows(path, { signal })) {
    // A broken row, or none at all, is for those to say who read the whole file.
    if (row.kind === "broken" || rows++ === SAMPLE) break;
    for (const name of Object.keys(row.fields)) if (!known.includes(name)) found.add(name);
  }
  const names = [...found].map((name) => printable(name));
  if (names.length > 0) note(`${path}: columns that nothing reads: ${names.join(", ")}`);
}
