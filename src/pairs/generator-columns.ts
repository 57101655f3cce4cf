import { isObject, ownField, type RowFields } from "./readers/file-row.ts";

/** Names of the columns that say which model wrote a side; public data misspell them and put them inside other columns. */
const NAMES = {
  chosen_model: /^(?:chosen|chonsen|choosen|chossen)[-_ ]?(?:model|model_name|generator)$/i,
  rejected_model:
    /^(?:rejected|reject|rejcted|rejectd|rejeted)[-_ ]?(?:model|model_name|generator)$/i,
} as const;

/** Objects inside objects are looked into to this depth. */
const MAX_DEPTH = 3;

/** A column under the name that it is kept by, and where its value stands in a row. */
export interface NamedPath {
  readonly name: keyof typeof NAMES;
  /** Its column first. */
  readonly path: readonly string[];
}

/**
 * The columns that name the writers of the sides: `chosen_model` and `rejected_model` where the rows have them, else the first column, or
 * member of an object, that is called so in another spelling (`chonsen_model`, `other_info.chosen_model`).
 */
export function findGenerators(rows: readonly RowFields[]): readonly NamedPath[] {
  const paths = new Map(
    rows.flatMap((row) => listPaths(row)).map((path) => [path.join("\0"), path]),
  );
  return (Object.keys(NAMES) as (keyof typeof NAMES)[]).flatMap((name) => {
    const fitting = [...paths.values()].filter((path) => NAMES[name].test(path.at(-1) ?? ""));
    const path =
      fitting.find((each) => each.length === 1 && each[0] === name) ??
      fitting.toSorted((a, b) => a.length - b.length)[0];
    return path === undefined ? [] : [{ name, path }];
  });
}

/** The value that stands at a path in a row. */
export function valueAt(fields: RowFields, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, name) => (isObject(value) ? ownField(value, name) : undefined),
    fields,
  );
}

function listPaths(fields: RowFields, depth = 1): string[][] {
  return Object.entries(fields).flatMap(([name, value]) =>
    isObject(value) && depth < MAX_DEPTH
      ? listPaths(value, depth + 1).map((rest) => [name, ...rest])
      : [[name]],
  );
}
