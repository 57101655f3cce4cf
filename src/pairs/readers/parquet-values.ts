/** @file DuckDB's values as plain ones. */
import {
  DuckDBArrayType,
  type DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBListType,
  type DuckDBListValue,
  DuckDBMapType,
  type DuckDBMapValue,
  DuckDBStructType,
  type DuckDBStructValue,
  type DuckDBType,
  DuckDBTypeId,
  type DuckDBValue,
} from "@duckdb/node-api";

import { JsonFloat, objectOf, parseJson } from "../../format/json-value.ts";

/** Reads a value that is not null. */
type ValueReader = (value: DuckDBValue) => unknown;

/**
 * What reads the values of a type: lists, structs and maps become arrays and objects, columns of the logical type JSON (at any depth;
 * `datasets` 5 writes them) what they say, whole fractions JsonFloat, integers past 2^53 bigints, dates and decimals text.
 */
export function valueReader(type: DuckDBType): ValueReader {
  const read = readerOf(type);
  return (value) => (value === null ? null : read(value));
}

function readerOf(type: DuckDBType): ValueReader {
  if (type.alias === "JSON") return (value) => parseJson(String(value));
  if (type instanceof DuckDBListType || type instanceof DuckDBArrayType) {
    const read = valueReader(type.valueType);
    // The type says that it is one of the two.
    return (value) => (value as DuckDBListValue | DuckDBArrayValue).items.map(read);
  }
  if (type instanceof DuckDBStructType) return structReader(type);
  if (type instanceof DuckDBMapType) {
    const read = valueReader(type.valueType);
    return (value) =>
      objectOf(
        (value as DuckDBMapValue).entries.map(({ key, value: v }) => [String(key), read(v)]), // as the type says
      );
  }
  return type.typeId === DuckDBTypeId.DOUBLE || type.typeId === DuckDBTypeId.FLOAT
    ? readFraction
    : readScalar;
}

function structReader({ entryNames, entryTypes }: DuckDBStructType): ValueReader {
  const readers = new Map(entryNames.map((name, i) => [name, valueReader(entryTypes[i]!)]));
  return (value) => {
    const { entries } = value as DuckDBStructValue; // as the type says
    return objectOf(entryNames.map((name) => [name, readers.get(name)!(entries[name] ?? null)]));
  };
}

function readFraction(value: DuckDBValue): unknown {
  return typeof value === "number" && Number.isInteger(value) ? new JsonFloat(value) : value;
}

function readScalar(value: DuckDBValue): unknown {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
  if (["string", "number", "boolean"].includes(typeof value)) return value;
  // Bytes stay bytes, so that a shape says "expected text" and does not take an escaped dump for a message.
  return value instanceof DuckDBBlobValue ? value.bytes : String(value);
}
