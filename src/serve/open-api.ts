import { z } from "zod";

import { VERSION } from "../util/version.ts";
import { pairRow } from "./answers.ts";
import { type Route, ROUTES } from "./routes.ts";

/** A JSON value. */
type Json = { readonly [name: string]: unknown };

const fault = z.strictObject({ error: z.string() }).meta({ id: "Fault" });

/** The OpenAPI 3.1 document of the server, made from the schemas that every answer is checked by. */
export function openApi(routes: readonly Route[] = ROUTES): Json {
  const schemas = z.registry<{ id: string }>();
  const named = (schema: z.ZodType): string | undefined => schema.meta()?.id;
  for (const schema of [fault, pairRow, ...routes.map(({ answer }) => answer)]) {
    const id = named(schema);
    if (id !== undefined) schemas.add(schema, { id });
  }
  const made = z.toJSONSchema(schemas, {
    uri: (id) => `#/components/schemas/${id}`,
    io: "output",
    unrepresentable: "any",
  }) as { readonly schemas: Readonly<Record<string, Json>> }; // of a registry
  return {
    openapi: "3.1.0",
    info: {
      title: "culprit report --serve",
      version: VERSION,
      description:
        "The run of an experiment, on this machine alone. Requests need a Host of the loopback and, where they have one, an Origin of the same.",
    },
    paths: Object.fromEntries(
      routes.map((route) => [
        route.path,
        { [route.method.toLowerCase()]: operation(route, named) },
      ]),
    ),
    components: {
      schemas: Object.fromEntries(
        Object.entries(made.schemas).map(([id, schema]) => [id, withoutPlace(schema)]),
      ),
    },
  };
}

/** A schema without what says where it stands by itself. */
const withoutPlace = (schema: Json): Json =>
  Object.fromEntries(Object.entries(schema).filter(([name]) => !["$schema", "$id"].includes(name)));

function operation(
  { method, summary, query, answer, absent }: Route,
  named: (schema: z.ZodType) => string | undefined,
): Json {
  const id = named(answer);
  const content = (schema: Json): Json => ({ "application/json": { schema } });
  const refusal = (description: string): Json => ({
    description,
    content: content({ $ref: "#/components/schemas/Fault" }),
  });
  const asked = withoutPlace(z.toJSONSchema(query, { io: "input" }));
  return {
    summary,
    ...(method === "POST"
      ? { requestBody: { required: true, content: content(asked) } }
      : { parameters: parametersOf(asked) }),
    responses: {
      200: {
        description: summary,
        content: content(id === undefined ? {} : { $ref: `#/components/schemas/${id}` }),
      },
      400: refusal("The question is not one."),
      403: refusal("The request comes from another site."),
      404: refusal(`There is none: ${absent}.`),
      405: refusal("The method is another than the ones of this path."),
      ...(method === "POST" && { 415: refusal("The body is of another type than JSON.") }),
      500: refusal("The server failed, or a file of the run could not be read."),
    },
  };
}

function parametersOf({ properties = {}, required = [] }: Json): readonly Json[] {
  return Object.entries(properties as Json).map(([name, schema]) => {
    const { description, ...rest } = schema as Json;
    const isRequired = (required as readonly string[]).includes(name);
    return { name, in: "query", required: isRequired, description, schema: rest };
  });
}
