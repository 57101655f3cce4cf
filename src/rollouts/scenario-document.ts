import { isObject, ownField } from "../pairs/readers/file-row.ts";
import {
  type ListedRow,
  listedRows,
  readDocument,
  rowsOfList,
} from "../pairs/readers/listed-rows.ts";
import { kindOf } from "../pairs/shapes/kind-of.ts";
import { FormatError } from "../util/errors.ts";

export interface ScenarioDocument {
  /** The scenarios as the file holds them. */
  readonly rows: readonly ListedRow[];
  /** The variants that the file lists; undefined where it lists none. */
  readonly variants: readonly string[] | undefined;
  /** The templates that it gives for some of them. */
  readonly templates: Readonly<Record<string, string>>;
}

/** Reads a scenarios file of any kind without looking into its rows. */
export async function readScenarioDocument(path: string): Promise<ScenarioDocument> {
  const value = await readDocument(path);
  if (value === undefined) {
    return { rows: await listedRows(path), variants: undefined, templates: {} };
  }
  if (Array.isArray(value))
    return { rows: rowsOfList(path, value, "a scenario"), variants: undefined, templates: {} };
  const scenarios = isObject(value) ? ownField(value, "scenarios") : undefined;
  if (!isObject(value) || !Array.isArray(scenarios)) {
    throw new FormatError(
      `${path}: expected a list of scenarios, or {variants, scenarios}, got ${value === null ? "nothing" : kindOf(value)}`,
      {
        hint: "A list has lines like: - {id: tea, base: How do I make tea?, distractor: In a list.}",
      },
    );
  }
  const { names, templates } = readListedVariants(path, ownField(value, "variants"));
  return { rows: rowsOfList(path, scenarios, "a scenario"), variants: names, templates };
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

/** As a variant is called here, whatever name it has in a published file. */
export function variantName(name: string): string {
  return name === "base_plus_distractor" ? "base+distractor" : name;
}
