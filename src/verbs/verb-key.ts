/** @file What of a verb's settings is in the key of its stage: all but what changes no result. */
import type { z } from "zod";

import { jsonSchemaOf, metaOf } from "./json-schema.ts";
import { listSettings } from "./list-settings.ts";

/** The settings without those that say of themselves that they change no result (pace, prices). */
export function countedSettings(schema: z.ZodObject, settings: unknown): unknown {
  const left = listSettings(jsonSchemaOf(schema))
    .filter((each) => metaOf(each.schema).counts === false)
    .map(({ path }) => path.join("."));
  return without(settings, "", new Set(left));
}

function without(value: unknown, at: string, left: ReadonlySet<string>): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]): [string, unknown][] => {
      const path = at === "" ? name : `${at}.${name}`;
      return left.has(path) ? [] : [[name, without(member, path, left)]];
    }),
  );
}
