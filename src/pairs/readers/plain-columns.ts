import { JsonFloat } from "../../format/json-value.ts";
import type { RowFields } from "./file-row.ts";

/**
 * The row with its columns' own numbers as every reader gives them: whole numbers beyond 2^53 as text (ids must not be rounded), all
 * others as numbers. Values inside lists and objects stay, since a chat template may print them.
 */
export function plainColumns(fields: RowFields): RowFields {
  if (!Object.values(fields).some(isKept)) return fields;
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, plainColumn(value)]),
  );
}

function isKept(value: unknown): boolean {
  return typeof value === "bigint" || value instanceof JsonFloat;
}

function plainColumn(value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  return value instanceof JsonFloat ? value.value : value;
}
