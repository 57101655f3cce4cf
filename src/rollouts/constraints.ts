/** @file Formatting constraints: sentences that a request can be followed by, the pool of which distractors are drawn. */
import { isObject, ownField } from "../pairs/readers/file-row.ts";
import {
  listedRows,
  type ListedRow,
  readDocument,
  rowsOfList,
} from "../pairs/readers/listed-rows.ts";
import { type Fail, inRow } from "../pairs/readers/whole-rows.ts";
import { readTags } from "../pairs/row-marks.ts";
import { plainPrompt } from "../pairs/shapes/row-context.ts";
import { ConfigError, FormatError } from "../util/errors.ts";
import { BUILT_IN_CONSTRAINTS } from "./built-in-constraints.ts";

/** One sentence that asks for a form of the answer. */
export interface Constraint {
  /** Parts between colons, from the family down: `length_constraints:number_words:at-most-50`. */
  readonly id: string;
  readonly text: string;
  readonly tags: readonly string[];
}

/** The name of the list that ships, where files are named. */
export const BUILT_IN_POOL = "builtin";

const HINT =
  'A constraint is {"id", "text", "tags"?}, as JSON lines or a YAML list; an id has no white space and no commas. Rows count from 0.';
/** Ids become tags and parts of file names: longer ones are text that happens to stand there. */
const MAX_ID_LENGTH = 100;

/**
 * The constraints of files (JSON lines, JSON, YAML, CSV, each a list), `builtin` being the list that ships, in the order given.
 * Throws FormatError naming file and row where one is broken or repeats an id, ConfigError where there is none.
 */
export async function readConstraints(
  namesOrPaths: readonly string[] = [BUILT_IN_POOL],
): Promise<readonly Constraint[]> {
  const pool: Constraint[] = [];
  const seen = new Map<string, string>();
  for (const name of namesOrPaths) {
    const found =
      name === BUILT_IN_POOL
        ? BUILT_IN_CONSTRAINTS.map((constraint) => ({ constraint, place: name }))
        : await readFile(name);
    for (const { constraint, place } of found) {
      const earlier = seen.get(constraint.id);
      if (earlier !== undefined) {
        throw new FormatError(`${place}: the id "${constraint.id}" is that of ${earlier} too`);
      }
      seen.set(constraint.id, place);
      pool.push(constraint);
    }
  }
  if (pool.length > 0) return pool;
  throw new ConfigError(`${namesOrPaths.join(", ")}: expected constraints, got none`, {
    hint: HINT,
  });
}

/**
 * Those whose id is one of `names` or begins with one and a colon: a family, a kind or a single one. Throws ConfigError for a name
 * that no constraint has.
 */
export function selectConstraints(
  pool: readonly Constraint[],
  names: readonly string[],
): readonly Constraint[] {
  const has = (name: string, { id }: Constraint): boolean =>
    id === name || id.startsWith(`${name}:`);
  const unknown = names.find((name) => !pool.some((constraint) => has(name, constraint)));
  if (unknown !== undefined) {
    const families = [...new Set(pool.map(constraintFamily))];
    throw new ConfigError(
      `only: expected ids or families of the pool, got ${JSON.stringify(unknown.slice(0, MAX_ID_LENGTH))}`,
      { hint: `Its families are ${families.join(", ")}; culprit scenarios alone shows every id.` },
    );
  }
  return pool.filter((constraint) => names.some((name) => has(name, constraint)));
}

/** The first part of the id. */
export function constraintFamily({ id }: Constraint): string {
  return id.split(":", 1)[0]!;
}

/** What a scenario with this constraint is tagged with: the id, its family, what lies between, and the constraint's own tags. */
export function constraintTags({ id, tags }: Constraint): readonly string[] {
  const parts = id.split(":");
  return [...parts.map((_, i) => parts.slice(0, i + 1).join(":")), ...tags];
}

async function readFile(
  path: string,
): Promise<readonly { readonly constraint: Constraint; readonly place: string }[]> {
  const value = await readDocument(path);
  const list = isObject(value) ? ownField(value, "constraints") : value;
  if (value !== undefined && !Array.isArray(list)) {
    throw new FormatError(`${path}: expected a list of constraints, or {constraints}`, {
      hint: HINT,
    });
  }
  const rows =
    value === undefined ? await listedRows(path) : rowsOfList(path, list as unknown[], "one"); // checked above
  return rows.map((row) => {
    const place = `${path}, row ${row.row}`;
    return { constraint: readConstraint(row, place), place };
  });
}

function readConstraint({ fields }: ListedRow, place: string): Constraint {
  const fail: Fail = (detail) => new FormatError(`${place}: ${detail}`, { hint: HINT });
  const id = ownField(fields, "id");
  if (typeof id !== "string" || !/^[^\s,]+$/.test(id) || id.length > MAX_ID_LENGTH) {
    throw fail(`id: expected a name of at most ${MAX_ID_LENGTH} characters`);
  }
  const text = ownField(fields, "text");
  if (typeof text !== "string" || text.trim() === "") throw fail("text: expected a sentence");
  const tags = inRow(fail, () => {
    // It is appended to requests as text: what stands beside it would be lost.
    const turns = plainPrompt(fields, [{ role: "user", content: text }]);
    if (turns.length > 1) throw fail("text: expected a sentence alone, got system");
    return readTags(fields) ?? [];
  });
  return { id, text: text.trim(), tags };
}
