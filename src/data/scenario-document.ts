import { FormatError } from "../util/errors.ts";
import { isObject, ownField, type RowFields } from "./readers/file-row.ts";
import { readRows } from "./readers/read-rows.ts";
import { parseYaml, readText } from "./readers/yaml-document.ts";
import { variantName } from "./variant-name.ts";

/** One scenario as its file holds it; rows count from 0. */
export interface ScenarioRow {
  readonly row: number;
  readonly fields: RowFields;
}

export interface ScenarioDocument {
  readonly rows: readonly ScenarioRow[];
  /** The variants that the file lists; undefined where it lists none. */
  readonly variants: readonly string[] | undefined;
  /** The templates that it gives for some of them. */
  readonly templates: Readonly<Record<string, string>>;
}

/** Reads a scenarios file of any kind without looking into its rows. */
export async function readScenarioDocument(path: string): Promise<ScenarioDocument> {
  const value = await readDocument(path);
  if (value === undefined) {
    return { rows: await readScenarioRows(path), variants: undefined, templates: {} };
  }
  if (Array.isArray(value))
    return { rows: toRows(path, value), variants: undefined, templates: {} };
  const scenarios = isObject(value) ? ownField(value, "scenarios") : undefined;
  if (!isObject(value) || !Array.isArray(scenarios)) {
    throw new FormatError(`${path}: expected a list of scenarios, or {variants, scenarios}`);
  }
  const { names, templates } = readListedVariants(path, ownField(value, "variants"));
  return { rows: toRows(path, scenarios), variants: names, templates };
}

/** The whole value of a YAML file or of a JSON document; undefined for a file of rows. */
async function readDocument(path: string): Promise<unknown> {
  if (/\.ya?ml$/i.test(path)) return parseYaml(path, await readText(path));
  if (!/\.json$/i.test(path)) return undefined;
  const text = await readText(path);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new FormatError(`${path}: expected JSON, got text that is not`, {
      hint: "A file with one JSON object a line ends in .jsonl.",
      cause: error,
    });
  }
}

async function readScenarioRows(path: string): Promise<readonly ScenarioRow[]> {
  const rows: ScenarioRow[] = [];
  for await (const row of readRows(path)) {
    if (row.kind === "broken") {
      throw new FormatError(`${path}, row ${row.fileRow}: ${row.detail}`);
    }
    rows.push({ row: row.fileRow, fields: row.fields });
  }
  return rows;
}

function toRows(path: string, values: readonly unknown[]): readonly ScenarioRow[] {
  return values.map((fields, row) => {
    if (isObject(fields)) return { row, fields };
    throw new FormatError(`${path}, row ${row}: expected a scenario, got something else`);
  });
}

/** `variants`: a list of names or of {id, template?}, or a map from names to templates (nothing: the built-in meaning). */
function readListedVariants(
  path: string,
  value: unknown,
): {
  readonly names: readonly string[] | undefined;
  readonly templates: Readonly<Record<string, string>>;
} {
  if (value === undefined || value === null) return { names: undefined, templates: {} };
  const entries: (readonly [name: unknown, template: unknown])[] = Array.isArray(value)
    ? value.map((each: unknown) =>
        isObject(each) ? [ownField(each, "id"), ownField(each, "template")] : [each, undefined],
      )
    : isObject(value)
      ? Object.entries(value)
      : [];
  const templates: Record<string, string> = {};
  const names = entries.map(([name, template]) => {
    const isTemplate = typeof template === "string" && template.includes("{base}");
    const isPlain = template === undefined || template === null;
    if (typeof name !== "string" || name === "" || !(isTemplate || isPlain)) {
      throw new FormatError(
        `${path}, variants: expected names, or {NAME: template with {base} and {distractor}}`,
      );
    }
    if (isTemplate) templates[variantName(name)] = template;
    return variantName(name);
  });
  if (names.length === 0) throw new FormatError(`${path}, variants: expected names, got none`);
  return { names, templates };
}
