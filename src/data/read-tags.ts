import { ownField, type RowFields } from "./readers/file-row.ts";
import { RowProblem } from "./shapes/shape.ts";

/**
 * The `tags` of a row: a list of names, or one text with commas; undefined where it has none. Throws RowProblem for anything else.
 */
export function readTags(fields: RowFields): readonly string[] | undefined {
  const tags = ownField(fields, "tags");
  if (tags === undefined || tags === null || tags === "") return undefined;
  const names: readonly unknown[] = typeof tags === "string" ? tags.split(",") : [tags].flat();
  if (names.every((name) => typeof name === "string")) return names.map((name) => name.trim());
  throw new RowProblem("wrong-type", "tags: expected a list of names, got something else");
}

/** The tags of something as a member that is left out where there are none. */
export function givenTags({ tags }: { readonly tags?: readonly string[] | undefined }): {
  readonly tags?: readonly string[];
} {
  return tags === undefined || tags.length === 0 ? {} : { tags };
}
