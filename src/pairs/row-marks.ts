/** @file What a row says of where it belongs: the group of its request and its tags. */
import { ownField, type RowFields } from "./readers/file-row.ts";
import { RowProblem } from "./shapes/shape.ts";

/** What is said of a prompt beside its scenario and variant; travels with it to rollouts. */
export interface Marks {
  /** Equal for all scenarios that ask one request, see requestGroup; absent where that is not known. */
  readonly group?: string | undefined;
  /** Names for what is asked; absent where there are none. */
  readonly tags?: readonly string[] | undefined;
}

/** The marks of a row. Throws RowProblem where one is no name, or no list of names. */
export function readMarks(fields: RowFields): Marks {
  return { group: readName(fields, "group"), tags: readTags(fields) };
}

/** A name in a row, which may be a number; undefined where it has none. Throws RowProblem for anything else. */
export function readName(fields: RowFields, column: string): string | undefined {
  const name = ownField(fields, column);
  if (name === undefined || name === null || name === "") return undefined;
  if (typeof name === "string" || typeof name === "number") return String(name);
  throw new RowProblem("wrong-type", `${column}: expected a name, got something else`);
}

/**
 * The `tags` of a row: a list of names, or one text with commas; undefined where it has none. Throws RowProblem for anything else.
 */
export function readTags(fields: RowFields): readonly string[] | undefined {
  const tags = ownField(fields, "tags");
  if (tags === undefined || tags === null || tags === "") return undefined;
  const names: readonly unknown[] = typeof tags === "string" ? tags.split(",") : [tags].flat();
  if (names.every((name) => typeof name === "string")) {
    return givenTags(names.map((name) => name.trim()));
  }
  throw new RowProblem("wrong-type", "tags: expected a list of names, got something else");
}

/** Tags as a member that is left out where there are none. */
export const givenTags = (tags: Iterable<string>): Marks["tags"] => {
  const given = [...tags];
  return given.length === 0 ? undefined : given;
};
