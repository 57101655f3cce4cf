import { z } from "zod";

import { type Message, ROLES } from "../format/messages.ts";
import { type Fail, readWholeRows } from "../pairs/readers/whole-rows.ts";

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

const HINT =
  "A task is {id?, prompt, pattern}, the pattern a JavaScript regular expression; rows count from 0.";

/**
 * Reads tasks {id?, prompt, pattern} (JSON lines, JSON, CSV or Parquet); other columns are not read. Throws FormatError naming file and
 * row for one that is none.
 */
export async function readTasks(path: string): Promise<readonly Task[]> {
  const tasks: Task[] = [];
  for await (const { fields, fileRow, fail } of readWholeRows(path, { hint: HINT })) {
    const parsed = taskSchema.safeParse(fields);
    if (!parsed.success) {
      const issue = parsed.error.issues[0]!; // a failed parse has at least one
      throw fail(`${issue.path.join(".")}: ${issue.message}`);
    }
    const { id, prompt, pattern } = parsed.data;
    tasks.push({
      id: String(id ?? fileRow),
      prompt: typeof prompt === "string" ? [{ role: "user", content: prompt }] : prompt,
      pattern: toRegExp(pattern, fail),
    });
  }
  return tasks;
}

function toRegExp(pattern: string, fail: Fail): RegExp {
  try {
    return new RegExp(pattern, "isu");
  } catch {
    throw fail("pattern: expected a JavaScript regular expression");
  }
}
