import { z } from "zod";

import { experimentSchema } from "./schema.ts";

/** The parts of a JSON Schema that ours uses. */
export interface JsonSchema {
  readonly type?: string | undefined;
  readonly description?: string | undefined;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[] | undefined;
  readonly properties?: Readonly<Record<string, JsonSchema>> | undefined;
  readonly required?: readonly string[] | undefined;
  readonly items?: JsonSchema | undefined;
  readonly anyOf?: readonly JsonSchema[] | undefined;
  readonly oneOf?: readonly JsonSchema[] | undefined;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly exclusiveMinimum?: number | undefined;
}

/** JSON Schema of the experiment file as people write it (draft 2020-12), for editors. */
export function experimentJsonSchema(): JsonSchema {
  // io: what may be left out is not required.
  return z.toJSONSchema(experimentSchema, { io: "input" }) as JsonSchema; // a JSON Schema by definition
}
