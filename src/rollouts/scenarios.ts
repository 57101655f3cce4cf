/** @file Scenarios: what a behaviour is looked for with, each as several variants of one request. */
import type { Message } from "../format/messages.ts";
import { isObject, ownField, type RowFields } from "../pairs/readers/file-row.ts";
import type { ListedRow } from "../pairs/readers/listed-rows.ts";
import { type Fail, inRow } from "../pairs/readers/whole-rows.ts";
import { otherKind } from "../pairs/row-kind.ts";
import { givenTags, type Marks, readTags } from "../pairs/row-marks.ts";
import { findUnknownKeys, type UnknownKey } from "../pairs/unknown-keys.ts";
import { fileArtifact } from "../util/artifact.ts";
import { ConfigError, FormatError } from "../util/errors.ts";
import { hashFile } from "../util/hash.ts";
import { requestGroup } from "./base-key.ts";
import { readScenarioDocument, variantName } from "./scenario-document.ts";

/** A request, and what may be appended to it. */
export interface Scenario {
  readonly id: string;
  readonly title: string | undefined;
  /** The request alone. */
  readonly base: string;
  /** What the variant `base+distractor` appends; undefined where the file has none. */
  readonly distractor: string | undefined;
  readonly tags: readonly string[];
  /** The whole prompt of each further variant, by name. */
  readonly variants: Readonly<Record<string, string>>;
}

/** The scenarios of a file. */
export interface ScenarioSet {
  readonly path: string;
  /** SHA-256 of the file. */
  readonly sha256: string;
  /** In the order of the file; ids are unique. */
  readonly scenarios: readonly Scenario[];
  /** The variants that every scenario has, or those that the file lists, in that order. */
  readonly variants: readonly string[];
  /** Variants that only some scenarios have, and that are therefore not among `variants`; none where the file lists its variants. */
  readonly omitted: readonly OmittedVariant[];
  /** Keys of its rows that mean nothing here; side columns may be among them. */
  readonly unknownKeys: readonly UnknownKey[];
}

/** A variant that some scenarios have and others do not. */
export interface OmittedVariant {
  readonly variant: string;
  /** Scenarios without it. */
  readonly lacking: number;
  /** The first of them. */
  readonly first: string;
}

/** One prompt to sample responses to. */
export interface ScenarioPrompt extends Marks {
  readonly scenario: string;
  readonly variant: string;
  readonly prompt: readonly Message[];
}

/** The request alone, and the request with its distractor after one space. */
export const BUILT_IN_VARIANTS = ["base", "base+distractor"] as const;

const HINT =
  'A scenario is {"id", "title"?, "base", "distractor"?, "tags"?, "variants"?: {NAME: whole prompt}}, a prompt {"prompt": text or [{role, content}]}; rows count from 0.';
/** Columns listed in an error. */
const MAX_COLUMNS = 8;

/**
 * Reads scenarios from JSON lines, a JSON or YAML list, or a document {variants?, scenarios}, where `variants` lists names or maps
 * them to templates with {base} and {distractor}. `base_plus_distractor` means `base+distractor`. Throws FormatError naming file and
 * row where one is broken, lacks a field or repeats an id, and where there are none.
 */
export async function readScenarios(path: string): Promise<ScenarioSet> {
  const document = await readScenarioDocument(path);
  const scenarios: Scenario[] = [];
  const rowOf = new Map<string, number>();
  for (const row of document.rows) {
    const scenario = readScenario(path, row, document.templates);
    const earlier = rowOf.get(scenario.id);
    if (earlier !== undefined) {
      throw problem(path, row.row, `the id "${scenario.id}" is that of row ${earlier} too`);
    }
    rowOf.set(scenario.id, row.row);
    scenarios.push(scenario);
  }
  if (scenarios.length === 0) {
    throw new FormatError(`${path}: expected scenarios, got none`, { hint: HINT });
  }
  const variants = document.variants ?? commonVariants(scenarios);
  const omitted = document.variants === undefined ? omittedVariants(scenarios, variants) : [];
  const unknownKeys = findUnknownKeys(document.rows);
  const set = { path, sha256: await hashFile(path), scenarios, variants, omitted, unknownKeys };
  scenarioPrompts(set); // what the file lists, every scenario must have
  return set;
}

/** Scenarios; writeScenarios writes them. */
export const SCENARIOS = fileArtifact("scenarios.jsonl", readScenarios);

/**
 * The prompts of all scenarios in the given variants (default: those of the set), scenario by scenario, each one user turn.
 * Throws ConfigError naming a scenario that lacks a variant.
 */
export function scenarioPrompts(
  set: ScenarioSet,
  variants: readonly string[] = set.variants,
): readonly ScenarioPrompt[] {
  const names = [...new Set(variants.map(variantName))];
  if (names.length === 0) throw new ConfigError(`${set.path}: expected variants, got none`);
  return set.scenarios.flatMap((scenario) => {
    const group = requestGroup([{ role: "user", content: scenario.base }]);
    return names.map((variant) => {
      const content = variantText(scenario, variant);
      if (content === undefined) throw lacksVariant(set.path, scenario, variant);
      const prompt: readonly Message[] = [{ role: "user", content }];
      return { scenario: scenario.id, variant, prompt, group, tags: givenTags(scenario.tags) };
    });
  });
}

function variantText(scenario: Scenario, variant: string): string | undefined {
  if (Object.hasOwn(scenario.variants, variant)) return scenario.variants[variant];
  if (variant === "base") return scenario.base;
  if (variant !== "base+distractor" || scenario.distractor === undefined) return undefined;
  return `${scenario.base} ${scenario.distractor}`;
}

function lacksVariant(path: string, scenario: Scenario, variant: string): ConfigError {
  const has = variantsOf(scenario).join(", ");
  return new ConfigError(
    `${path}, scenario "${scenario.id}": expected a variant "${variant}", got only ${has}`,
    {
      hint:
        variant === "base+distractor"
          ? 'Give the scenario a "distractor", or leave the variant out.'
          : `Give the scenario "variants": {"${variant}": whole prompt}, or leave the variant out.`,
    },
  );
}

function variantsOf(scenario: Scenario): readonly string[] {
  const builtIn = BUILT_IN_VARIANTS.filter((name) => variantText(scenario, name) !== undefined);
  return [...new Set([...builtIn, ...Object.keys(scenario.variants)])];
}

function commonVariants(scenarios: readonly Scenario[]): readonly string[] {
  return variantsOf(scenarios[0]!).filter((name) =>
    scenarios.every((scenario) => variantText(scenario, name) !== undefined),
  );
}

function omittedVariants(
  scenarios: readonly Scenario[],
  common: readonly string[],
): readonly OmittedVariant[] {
  const found = new Set(scenarios.flatMap(variantsOf));
  return [...found]
    .filter((variant) => !common.includes(variant))
    .map((variant) => {
      const without = scenarios.filter((each) => variantText(each, variant) === undefined);
      return { variant, lacking: without.length, first: without[0]!.id }; // not common
    });
}

function readScenario(
  path: string,
  { row, fields }: ListedRow,
  templates: Readonly<Record<string, string>>,
): Scenario {
  const fail: Fail = (detail) => problem(path, row, detail);
  const text = (name: string): string | undefined => {
    const value = ownField(fields, name);
    if (value === undefined || value === null) return undefined;
    if (typeof value === "string" && value.trim() !== "") return value;
    throw fail(`${name}: expected text, got ${kindOf(value)}`);
  };
  const other = "base" in fields ? "" : otherKind(fields, "scenarios");
  if (other !== "") throw fail(`expected a scenario${other}`);
  if (!["id", "base"].some((name) => name in fields)) {
    throw fail(`expected a scenario, or a prompt, got the columns ${namesOf(fields)}`);
  }
  const id = readId(fields, fail);
  const base = text("base");
  if (base === undefined) throw fail(`scenario "${id}": base is missing`);
  const distractor = text("distractor");
  const variants: Record<string, string> = {};
  for (const [name, template] of Object.entries(templates)) {
    if (template.includes("{distractor}") && distractor === undefined) {
      throw fail(`scenario "${id}": variant "${name}" needs a distractor`);
    }
    variants[name] = template.replaceAll(/\{(base|distractor)\}/g, (_, part) =>
      part === "base" ? base : distractor!,
    );
  }
  Object.assign(variants, readVariants(fields, fail));
  return {
    id,
    title: text("title"),
    base,
    distractor,
    tags: inRow(fail, () => readTags(fields)) ?? [],
    variants,
  };
}

function namesOf(fields: RowFields): string {
  const names = Object.keys(fields).map((name) => JSON.stringify(name.slice(0, 40)));
  return `${names.slice(0, MAX_COLUMNS).join(", ")}${names.length > MAX_COLUMNS ? ", …" : ""}`;
}

function readId(fields: RowFields, fail: Fail): string {
  const id = ownField(fields, "id");
  if (typeof id === "number" && Number.isFinite(id)) return String(id);
  if (typeof id === "string" && id !== "" && id.length <= 200) return id;
  throw fail(`id: expected a name, got ${kindOf(id)}`);
}

function readVariants(fields: RowFields, fail: Fail): Record<string, string> {
  const value = ownField(fields, "variants");
  if (value === undefined || value === null) return {};
  if (!isObject(value)) throw fail(`variants: expected {NAME: text}, got ${kindOf(value)}`);
  return Object.fromEntries(
    Object.entries(value).map(([name, text]) => {
      if (typeof text !== "string" || text.trim() === "") {
        throw fail(`variant "${name}": expected text, got ${kindOf(text)}`);
      }
      return [variantName(name), text];
    }),
  );
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (typeof value === "string") return value.trim() === "" ? "empty text" : "a long text";
  return Array.isArray(value) ? "a list" : `a ${typeof value}`;
}

function problem(path: string, row: number, detail: string): FormatError {
  return new FormatError(`${path}, row ${row}: ${detail}`, { hint: HINT });
}
