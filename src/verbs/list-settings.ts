import type { z } from "zod";

/**
 * @file The settings of a verb, walked: one list from which its flags, its help, the settings table and the checks that nothing is declared
 * twice are made. Settings are a zod object; groups in it (an endpoint, LoRA) become flags of their own names.
 */
import { describeValue, showValue, type JsonSchema, jsonSchemaOf, metaOf } from "./json-schema.ts";

/** One setting. */
export interface Setting {
  /** Where it stands: `["endpoint", "baseUrl"]`. */
  readonly path: readonly string[];
  /** `base-url`. */
  readonly flag: string;
  readonly schema: JsonSchema;
  /** Whether its group cannot do without it. */
  readonly isRequired: boolean;
  /** Where a choice decides whether it means something: the choice's path and the values that it goes with. */
  readonly only?:
    | { readonly path: readonly string[]; readonly values: readonly string[] }
    | undefined;
  /** Where it belongs to a group that may be left out: the group's path. */
  readonly group?: readonly string[] | undefined;
  /** Turns such a group on by itself, for groups whose members all have defaults. */
  readonly isSwitch?: boolean | undefined;
}

/** Lists the settings of a JSON Schema of them, in the order declared. Throws where two would have one flag, unless they need none. */
export function listSettings(schema: JsonSchema, needsFlags = true): readonly Setting[] {
  return walk(schema, { path: [], taken: needsFlags ? new Set() : undefined });
}

interface Place {
  readonly path: readonly string[];
  /** Flags so far; undefined where settings have none. */
  readonly taken: Set<string> | undefined;
  readonly only?: Setting["only"] | undefined;
  readonly group?: Setting["group"] | undefined;
}

function walk(schema: JsonSchema, place: Place): Setting[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    const isRequired = schema.required?.includes(name) === true;
    return walkMember(name, member, isRequired, place);
  });
}

function walkMember(
  name: string,
  member: JsonSchema,
  isRequired: boolean,
  place: Place,
): Setting[] {
  const { items } = member;
  const isListOfGroups = (items?.properties ?? items?.oneOf) !== undefined;
  if (isListOfGroups) return walkMember(`${name}[]`, items!, isRequired, place);
  const path = [...place.path, name];
  const variants = member.oneOf?.filter((each) => each.properties !== undefined) ?? [];
  if (variants.length > 0) return walkVariants(variants, { ...place, path });
  if (member.properties === undefined) return [leaf(path, member, isRequired, place)];
  const isOptional = !isRequired && member.default === undefined;
  const inner = { ...place, path, ...(isOptional && { group: path }) };
  const needsNothing = (member.required ?? []).length === 0;
  const own: JsonSchema = { ...member, type: "boolean" };
  const { properties: _properties, required: _required, ...toggle } = own;
  return [
    ...(isOptional && needsNothing
      ? [{ ...leaf(path, toggle, false, place), group: path, isSwitch: true }]
      : []),
    ...walk(member, inner),
  ];
}

/** A choice between groups that a member of each names: the member once, and what only some of the groups have with the values it goes with. */
function walkVariants(variants: readonly JsonSchema[], place: Place): Setting[] {
  const key = discriminator(variants);
  const values = variants.map((each) => String(each.properties![key]!.const));
  const first = variants[0]!.properties![key]!;
  const choicePath = [...place.path, key];
  const choice: JsonSchema = { ...first, enum: values };
  const { const: _const, ...described } = choice as JsonSchema & { const?: unknown };
  const found = new Map<string, Setting>();
  for (const [i, variant] of variants.entries()) {
    for (const [name, member] of Object.entries(variant.properties!)) {
      if (name === key) continue;
      // A group of the same name is the same group.
      const known = [...found].filter(([at]) => at === name || at.startsWith(`${name}.`));
      for (const [at, setting] of known) {
        const also = [...setting.only!.values, values[i]!];
        found.set(at, { ...setting, only: { path: choicePath, values: also } });
      }
      if (known.length > 0) continue;
      const only = { path: choicePath, values: [values[i]!] };
      const isRequired = variant.required?.includes(name) === true;
      for (const each of walkMember(name, member, isRequired, { ...place, only })) {
        found.set(each.path.slice(place.path.length).join("."), each);
      }
    }
  }
  return [leaf(choicePath, described, first.default === undefined, place), ...found.values()];
}

function discriminator(variants: readonly JsonSchema[]): string {
  const names = Object.keys(variants[0]!.properties!);
  const found = names.find((name) =>
    variants.every(({ properties }) => properties![name]?.const !== undefined),
  );
  if (found === undefined) throw new Error("internal: variants that no member tells apart");
  return found;
}

function leaf(
  path: readonly string[],
  schema: JsonSchema,
  isRequired: boolean,
  { taken, only, group }: Place,
): Setting {
  const own = metaOf(schema).flag ?? kebab(path.at(-1)!);
  const isTaken = taken?.has(own) === true && path.length > 1;
  const flag = isTaken ? `${kebab(path.at(-2)!)}-${own}` : own;
  if (taken?.has(flag) === true) {
    throw new Error(`internal: two settings have the flag --${flag}`);
  }
  taken?.add(flag);
  return { path, flag, schema, isRequired, only, group };
}

/** `maxTokens` as `max-tokens`. */
export function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The value in words with its default, as help has it. */
export function describeSetting({ schema, isRequired, isSwitch, group }: Setting): string {
  const text = (schema.description ?? "").replace("Absent: ", "Default: ");
  if (isSwitch === true || schema.type === "boolean") return text;
  const choices = schema.enum === undefined ? "" : ` One of ${describeValue(schema)}.`;
  const fallback = schema.default;
  const isNothing = Array.isArray(fallback) && fallback.length === 0;
  if (fallback !== undefined) {
    const value = isNothing ? "none" : [fallback].flat().map(showValue).join(",");
    return `${text}${choices} Default: ${value}.`;
  }
  const need = group === undefined ? " Required." : " Default: none.";
  return `${text}${choices}${isRequired ? need : ""}`;
}

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
