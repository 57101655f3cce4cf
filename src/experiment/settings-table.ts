import { below, describeValue, isBound, type JsonSchema } from "../verbs/json-schema.ts";
import { listSettings } from "../verbs/list-settings.ts";
import { experimentJsonSchema } from "./schema.ts";

/** The settings of the experiment file as a Markdown table, one line each; what docs/experiments.md shows. */
export function settingsTable(): string {
  const rows = listSettings(experimentJsonSchema(), false).filter(({ isSwitch }) => !isSwitch);
  return [
    "| setting | value | default | meaning |",
    "|---|---|---|---|",
    ...rows.map(({ path, schema, isRequired }) => {
      const { description = "" } = schema;
      const cells = [
        describeValue(schema, limits),
        describeDefault(schema, isRequired),
        description,
      ];
      return `| \`${path.join(".")}\` | ${cells.map(escape).join(" | ")} |`;
    }),
  ].join("\n");
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
