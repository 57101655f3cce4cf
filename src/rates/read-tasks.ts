import { z } from "zod";

import { type Message, ROLES } from "../format/messages.ts";
import { readRows } from "../pairs/readers/read-rows.ts";
import { FormatError } from "../util/errors.ts";

/** A task whose answer can be checked by a pattern. */
export interface Task {
  readonly id: string;
  readonly prompt: readonly Message[];
  /** Looked for anywhere in the response, upper and lower case alike. */
  readonly pattern: RegExp;
}

const turnSchema = z.object({ role: z.enum(ROLES), content: z.string() });
const taskSchema = z.object({
  id: z.union([z.string().min(1), z.number()]).optional(),
  prompt: z.union([z.string().min(1), z.array(turnSchema).min(1)]),
  pattern: z.string().min(1),
});

/**
 * Reads tasks {id?, prompt, pattern} (JSON lines, JSON, CSV or Parquet); other columns are not read. Throws FormatError naming file and
 * row for one that is none.
 */
export async function readTasks(path: string): Promise<readonly Task[]> {
  const tasks: Task[] = [];
  for await (const row of readRows(path)) {
    const fail = (detail: string): FormatError =>
      new FormatError(`${path}, row ${row.fileRow}: ${detail}`, {
        hint: "A task is {id?, prompt, pattern}, the pattern a JavaScript regular expression; rows count from 0.",
      });
    if (row.kind === "broken") throw fail(row.detail);
    const parsed = taskSchema.safeParse(row.fields);
    if (!parsed.success) {
      const issue = parsed.error.issues[0]!; // a failed parse has at least one
      throw fail(`${issue.path.join(".")}: ${issue.message}`);
    }
    const { id, prompt, pattern } = parsed.data;
    tasks.push({
      id: String(id ?? row.fileRow),
      prompt: typeof prompt === "string" ? [{ role: "user", content: prompt }] : prompt,
      pattern: toRegExp(pattern, fail),
    });
  }
  return tasks;
}

function toRegExp(pattern: string, fail: (detail: string) => FormatError): RegExp {
  try {
    return new RegExp(pattern, "isu");
  } catch {
    throw fail("pattern: expected a JavaScript regular expression");
  }
}
