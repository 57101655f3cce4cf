/** @file What is wrong with a file of settings, in one sentence for each fault: where, what was expected, what is there. */
import { type Document, isMap, type LineCounter, type Node } from "yaml";
import { z } from "zod";

import { nearest } from "./nearest.ts";

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** `train.seeds[1] (line 12): expected a whole number, got "one"`, for every fault. */
export function describeIssues(
  issues: readonly Issue[],
  schema: z.ZodType,
  { document, lines }: { readonly document: Document; readonly lines: LineCounter },
): string[] {
  const all = issues
    .flatMap(flatten)
    .flatMap((issue): Issue[] =>
      issue.code === "unrecognized_keys"
        ? issue.keys.map((key) => ({ ...issue, keys: [key] }))
        : [issue],
    );
  return all.map((issue) => {
    const unknown = issue.code === "unrecognized_keys" ? issue.keys[0] : undefined;
    const at = unknown === undefined ? issue.path : [...issue.path, unknown];
    const line = lineOf(document, at, lines);
    const place = `${formatPath(at)}${line === undefined ? "" : ` (line ${line})`}`;
    const value = document.getIn([...at]);
    const expected = expectation(issue);
    if (unknown !== undefined)
      return `${place}: ${expected}${hintOfKey(schema, issue.path, unknown)}`;
    // What is wrong between settings says itself what there is.
    if (expected.includes(", got ")) return `${place}: ${expected}`;
    return `${place}: ${expected}, got ${isSecret(at) ? "another text" : show(value)}`;
  });
}

/** The same of settings that a program gave. */
export function describeFault(issue: Issue, settings: unknown): string {
  const got = show(valueAt(settings, issue.path));
  return `${formatPath(issue.path)}: ${expectation(issue)}, got ${got}`;
}

/** What stands at a place; undefined where there is no such place. */
export const valueAt = (settings: unknown, path: Path): unknown =>
  path.reduce(
    (at, part) => (at as Readonly<Record<PropertyKey, unknown>> | undefined)?.[part],
    settings,
  );

/** Somebody may have written the key in place of its variable's name. */
export const isSecret = (path: Path): boolean => path.at(-1) === "apiKeyEnv";

/** A choice between shapes reports the shape that came closest: the one whose faults lie deepest. */
function flatten(issue: Issue): Issue[] {
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return [issue];
  const depth = (issues: readonly Issue[]): number =>
    Math.max(0, ...issues.map(({ path }) => path.length));
  const [closest] = issue.errors.toSorted((a, b) => depth(b) - depth(a));
  if (depth(closest!) === 0) return [issue];
  return closest!.flatMap((each) => flatten({ ...each, path: [...issue.path, ...each.path] }));
}

function expectation(issue: Issue): string {
  if (issue.code === "unrecognized_keys") return "is no setting";
  if (issue.code === "invalid_type") return `expected ${KINDS[issue.expected] ?? issue.expected}`;
  if (issue.code === "too_small") {
    if (issue.inclusive === false) return `expected a number above ${issue.minimum}`;
    return `expected ${bound(issue.origin, "at least", issue.minimum)}`;
  }
  if (issue.code === "too_big") {
    if (issue.inclusive === false) return `expected a number below ${issue.maximum}`;
    return `expected ${bound(issue.origin, "at most", issue.maximum)}`;
  }
  if (issue.code === "invalid_value") return `expected ${issue.values.map(String).join(", ")}`;
  return issue.message;
}

const KINDS: Readonly<Record<string, string>> = {
  int: "a whole number",
  number: "a number",
  string: "text",
  boolean: "true or false",
  array: "a list",
  object: "settings by name",
};

function bound(origin: string, relation: string, limit: number | bigint): string {
  if (origin === "string")
    return limit === 1 ? "some text" : `text of ${relation} ${limit} characters`;
  if (origin === "array") return `${relation} ${limit} entries`;
  return `a number of ${relation} ${limit}`;
}

function show(value: unknown): string {
  if (value === undefined) return "nothing";
  // JSON knows neither NaN nor infinity, and would say null.
  const text = typeof value === "number" ? String(value) : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

/** `edits[1].top`; "the file" for the whole of it. */
function formatPath(path: Path): string {
  const text = path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("");
  return text === "" ? "the file" : text.replace(/^\./, "");
}

/** Line of a setting, from 1; for one that is not there, of what should hold it. */
function lineOf(document: Document, path: Path, lines: LineCounter): number | undefined {
  for (let length = path.length; length >= 0; length--) {
    const node = keyOrNode(document, path.slice(0, length));
    if (node?.range != null) return lines.linePos(node.range[0]).line;
  }
  return undefined;
}

/** The key of a setting where it has one: the value of a block begins a line later. */
function keyOrNode(document: Document, path: Path): Node | undefined {
  const parent = document.getIn(path.slice(0, -1), true);
  if (path.length > 0 && isMap(parent)) {
    const pair = parent.items.find(({ key }) => (key as { value?: unknown }).value === path.at(-1));
    if (pair !== undefined) return pair.key as Node; // parsed from text: keys are nodes
  }
  return document.getIn([...path], true) as Node | undefined; // keepScalar: nodes only
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>> | undefined;
  readonly items?: JsonSchema | undefined;
  readonly anyOf?: readonly JsonSchema[] | undefined;
  readonly oneOf?: readonly JsonSchema[] | undefined;
  readonly allOf?: readonly JsonSchema[] | undefined;
}

const MAX_LISTED = 8;

/** `; did you mean scorer?`, the place of a key that stands deeper, or the known keys where they are few; "" else. */
export function hintOfKey(schema: z.ZodType, path: readonly PropertyKey[], key: string): string {
  const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema; // a JSON Schema by definition
  const places = path.reduce<readonly JsonSchema[]>(
    (at, part) =>
      at.flatMap(({ properties, items }) =>
        alternatives(typeof part === "number" ? items : properties?.[String(part)]),
      ),
    alternatives(json),
  );
  const deeper = places.flatMap(({ properties = {} }) =>
    Object.entries(properties).flatMap(([name, inner]) =>
      alternatives(inner).some((each) => Object.hasOwn(each.properties ?? {}, key)) ? [name] : [],
    ),
  );
  if (deeper.length > 0)
    return `; did you mean ${[...path, deeper[0], key].map(String).join(".")}?`;
  const known = [...new Set(places.flatMap(({ properties = {} }) => Object.keys(properties)))];
  const near = nearest(key, known);
  const meant = near === undefined ? "" : `; did you mean ${near}?`;
  return known.length === 0 || known.length > MAX_LISTED
    ? meant
    : `${meant || ";"} known here: ${known.join(", ")}`;
}

function alternatives(schema: JsonSchema | undefined): readonly JsonSchema[] {
  if (schema === undefined) return [];
  const { anyOf = [], oneOf = [], allOf = [] } = schema;
  return [schema, ...[...anyOf, ...oneOf, ...allOf].flatMap(alternatives)];
}
