/** @file The parts of JSON Schema that settings are described by, and values in words. */
import { z } from "zod";

/** A setting or a group of settings. */
export interface JsonSchema {
  readonly type?: string | undefined;
  readonly description?: string | undefined;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[] | undefined;
  readonly properties?: Readonly<Record<string, JsonSchema>> | undefined;
  readonly additionalProperties?: JsonSchema | boolean | undefined;
  readonly required?: readonly string[] | undefined;
  readonly items?: JsonSchema | undefined;
  readonly anyOf?: readonly JsonSchema[] | undefined;
  readonly oneOf?: readonly JsonSchema[] | undefined;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly exclusiveMinimum?: number | undefined;
  readonly exclusiveMaximum?: number | undefined;
}

/** What a setting says of itself beside its description, by `.meta()`. */
export interface SettingMeta {
  /** Its flag where that is not its name in kebab case. */
  readonly flag?: string | undefined;
  /** What stands for its value in help: DIR, FILE. */
  readonly placeholder?: string | undefined;
  /** Texts of a list that may hold commas: paths, tokens. Each is given by a flag of its own. */
  readonly isWhole?: boolean | undefined;
  /** False: changes no result, so it is in no key (pace, prices, how often a state is kept). */
  readonly counts?: boolean | undefined;
}

const META = [
  "flag",
  "placeholder",
  "isWhole",
  "counts",
] as const satisfies readonly (keyof SettingMeta)[];

/** JSON Schema of settings as people write them (draft 2020-12): what may be left out is not required. */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: "input" }) as JsonSchema; // a JSON Schema by definition
}

/** The same without what only we read. */
export function publicJsonSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, {
    io: "input",
    override: ({ jsonSchema }) => {
      for (const name of META) delete (jsonSchema as Record<string, unknown>)[name];
    },
  }) as JsonSchema; // a JSON Schema by definition
}

/** What a setting says of itself. */
export function metaOf(schema: JsonSchema): SettingMeta {
  return schema as SettingMeta; // zod writes the members of .meta() beside the others
}

/** A value in words: `whole number from 1 to 8`, `F16, F32`, `list of text`. `limits` words the bounds of a number. */
export function describeValue(schema: JsonSchema, limits = bounds): string {
  if (schema.const !== undefined) return showValue(schema.const);
  if (schema.enum !== undefined) return schema.enum.map(showValue).join(", ");
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return choices.map((each) => describeValue(each, limits)).join(" or ");
  if (schema.items !== undefined) return `list of ${describeValue(schema.items, limits)}`;
  const kind = KINDS[schema.type ?? ""] ?? schema.type ?? "any";
  return [kind, ...limits(schema)].join(" ");
}

/** The same as an error has it: `expected a whole number from 1 to 8`. */
export function describeExpected(schema: JsonSchema): string {
  const words = describeValue(schema);
  const isNoun = Object.values(KINDS).some((kind) => words.startsWith(kind) && kind !== "text");
  return `expected ${isNoun && !words.startsWith("true") ? `a ${words}` : words.replaceAll(/, (?=[^,]*$)/g, " or ")}`;
}

const KINDS: Readonly<Record<string, string>> = {
  integer: "whole number",
  number: "number",
  string: "text",
  boolean: "true or false",
  object: "text by name",
};

/** zod writes these for any safe integer. */
export const isBound = (limit: number | undefined): limit is number =>
  limit !== undefined && Math.abs(limit) < 2 ** 31 - 1;

function bounds({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): string[] {
  const isFrom = isBound(minimum);
  const isAbove = exclusiveMinimum !== undefined;
  const isBelow = isBound(maximum) || exclusiveMaximum !== undefined;
  return [
    ...(isFrom ? [`${isBelow ? "from" : "of at least"} ${minimum}`] : []),
    ...(isAbove ? [`above ${exclusiveMinimum}`] : []),
    ...(isBound(maximum) ? [`${isFrom || isAbove ? "to" : "of at most"} ${maximum}`] : []),
    ...below(exclusiveMaximum, { isFrom, isAbove }),
  ];
}

/** `to below 0.5`, where nothing is said before it `below 0.5`. */
export function below(
  limit: number | undefined,
  { isFrom, isAbove }: { readonly isFrom: boolean; readonly isAbove: boolean },
): string[] {
  if (limit === undefined) return [];
  return [`${isFrom ? "to " : isAbove ? "and " : ""}below ${limit}`];
}

/** Text as it is, anything else as JSON. */
export function showValue(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
