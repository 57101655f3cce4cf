/** @file The keys that a schema knows at a place, for what is said of one that it does not know. */
import { z } from "zod";

import { nearest } from "./nearest.ts";

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>> | undefined;
  readonly items?: JsonSchema | undefined;
  readonly anyOf?: readonly JsonSchema[] | undefined;
  readonly oneOf?: readonly JsonSchema[] | undefined;
  readonly allOf?: readonly JsonSchema[] | undefined;
}

const MAX_LISTED = 8;

/** `; did you mean scorer?`, the place of a key that stands deeper, or the known keys where they are few; "" else. */
export function hintOfKey(schema: z.ZodType, path: readonly PropertyKey[], key: string): string {
  const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema; // a JSON Schema by definition
  const places = path.reduce<readonly JsonSchema[]>(
    (at, part) =>
      at.flatMap(({ properties, items }) =>
        alternatives(typeof part === "number" ? items : properties?.[String(part)]),
      ),
    alternatives(json),
  );
  const deeper = places.flatMap(({ properties = {} }) =>
    Object.entries(properties).flatMap(([name, inner]) =>
      alternatives(inner).some((each) => Object.hasOwn(each.properties ?? {}, key)) ? [name] : [],
    ),
  );
  if (deeper.length > 0)
    return `; did you mean ${[...path, deeper[0], key].map(String).join(".")}?`;
  const known = [...new Set(places.flatMap(({ properties = {} }) => Object.keys(properties)))];
  const near = nearest(key, known);
  const meant = near === undefined ? "" : `; did you mean ${near}?`;
  return known.length === 0 || known.length > MAX_LISTED
    ? meant
    : `${meant || ";"} known here: ${known.join(", ")}`;
}

function alternatives(schema: JsonSchema | undefined): readonly JsonSchema[] {
  if (schema === undefined) return [];
  const { anyOf = [], oneOf = [], allOf = [] } = schema;
  return [schema, ...[...anyOf, ...oneOf, ...allOf].flatMap(alternatives)];
}
