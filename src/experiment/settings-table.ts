import { below, describeValue, isBound, type JsonSchema } from "../verbs/json-schema.ts";
import { experimentJsonSchema } from "./schema.ts";

/** The settings of the experiment file as a Markdown table, one line each; what docs/experiments.md shows. */
export function settingsTable(): string {
  const rows = listSettings(experimentJsonSchema(), "");
  return [
    "| setting | value | default | meaning |",
    "|---|---|---|---|",
    ...rows.map(
      ({ path, value, fallback, meaning }) =>
        `| \`${path}\` | ${escape(value)} | ${escape(fallback)} | ${escape(meaning)} |`,
    ),
  ].join("\n");
}

interface Setting {
  readonly path: string;
  readonly value: string;
  readonly fallback: string;
  readonly meaning: string;
}

function listSettings(schema: JsonSchema, path: string): Setting[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    const at = path === "" ? name : `${path}.${name}`;
    if (member.properties !== undefined) return listSettings(member, at);
    const items = member.items;
    if (items?.properties !== undefined) return listSettings(items, `${at}[]`);
    const variants = items?.oneOf ?? member.oneOf;
    if (variants?.some((each) => each.properties !== undefined) === true) {
      return listVariants(variants, items === undefined ? at : `${at}[]`);
    }
    return [
      {
        path: at,
        value: describeValue(member, limits),
        fallback: describeDefault(member, schema.required?.includes(name) === true),
        meaning: member.description ?? "",
      },
    ];
  });
}

/** Settings that several variants share stand once. */
function listVariants(variants: readonly JsonSchema[], path: string): Setting[] {
  const found = new Map<string, Setting>();
  for (const setting of variants.flatMap((variant) => listSettings(variant, path))) {
    const known = found.get(setting.path);
    const value =
      known === undefined || known.value === setting.value
        ? setting.value
        : `${known.value}, ${setting.value}`;
    found.set(setting.path, { ...(known ?? setting), value });
  }
  return [...found.values()];
}

/** Shorter than errors have them. */
function limits({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): string[] {
  const isFrom = isBound(minimum);
  const isAbove = exclusiveMinimum !== undefined;
  return [
    ...(isFrom ? [`from ${minimum}`] : []),
    ...(isAbove ? [`above ${exclusiveMinimum}`] : []),
    ...(isBound(maximum) ? [`to ${maximum}`] : []),
    ...below(exclusiveMaximum, { isFrom, isAbove }),
  ];
}

function describeDefault(schema: JsonSchema, isRequired: boolean): string {
  if (schema.default !== undefined) return `\`${JSON.stringify(schema.default)}\``;
  return isRequired ? "required" : "absent";
}

function escape(text: string): string {
  return text.replaceAll("|", "\\|");
}
