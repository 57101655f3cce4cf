import { z } from "zod";

import { experimentSchema } from "./schema.ts";

/** The parts of a JSON Schema that ours uses. */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
}

/** JSON Schema of the experiment file as people write it (draft 2020-12), for editors. */
export function experimentJsonSchema(): JsonSchema {
  // io: what may be left out is not required.
  return z.toJSONSchema(experimentSchema, { io: "input" }) as JsonSchema; // a JSON Schema by definition
}
