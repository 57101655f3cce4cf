import { type JsonSchema, publicJsonSchema } from "../verbs/json-schema.ts";
import { experimentSchema } from "./schema.ts";

/** JSON Schema of the experiment file as people write it (draft 2020-12), for editors. */
export function experimentJsonSchema(): JsonSchema {
  return publicJsonSchema(experimentSchema);
}
