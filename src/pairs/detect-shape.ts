import { ConfigError } from "../util/errors.ts";
import { nearest } from "../util/nearest.ts";
import { isObject, ownField, type RowFields } from "./readers/file-row.ts";
import { otherKind } from "./row-kind.ts";
import { kindOf } from "./shapes/kind-of.ts";
import { PAIR_SHAPES, type PairShape, SHAPES } from "./shapes/shapes.ts";

/** The shape of a data set and one sentence on how it was found. */
export interface DetectedShape {
  readonly shape: PairShape;
  readonly reason: string;
}

/**
 * The shape that most of the sampled rows have: more than half of them, and more than have any other. A shape that the user
 * named is taken where at least one row has it. Throws ConfigError listing the columns found and the shapes known where none
 * fits or two fit equally well.
 */
export function detectShape(
  rows: readonly RowFields[],
  columns: readonly string[],
  named?: PairShape,
): DetectedShape {
  const counts = PAIR_SHAPES.map((shape) => ({
    shape,
    count: rows.filter((fields) => SHAPES[shape].matches(fields)).length,
  })).toSorted((a, b) => b.count - a.count);
  const found = describeColumns(rows[0] ?? {}, columns);
  if (named !== undefined) return checkNamed(named, rows, found);
  const [best, second] = counts;
  if (best === undefined || best.count * 2 <= rows.length) {
    const nearestShape = counts.find(({ count }) => count > 0);
    throw new ConfigError(
      `pairs: expected rows of a known shape, got ${found} (${nearestShape === undefined ? `none of ${rows.length} sampled rows fits any shape` : `${nearestShape.shape} fits best, ${nearestShape.count} of ${rows.length} sampled rows`})${otherKind(rows[0] ?? {}, "preference pairs")}`,
      { hint: `${guess(rows[0] ?? {}, columns)}${knownShapes()}` },
    );
  }
  if (second !== undefined && second.count === best.count) {
    throw new ConfigError(
      `pairs: expected one shape, got rows that fit ${best.shape} and ${second.shape} equally well (${best.count} of ${rows.length} sampled rows; ${found})`,
      { hint: `Name the one that is meant. ${knownShapes()}` },
    );
  }
  return {
    shape: best.shape,
    reason: `${best.shape}: ${best.count} of ${rows.length} sampled rows have ${SHAPES[best.shape].describe}.`,
  };
}

/**
 * Throws ConfigError naming files and shapes where files have different ones: all but the first would be unusable. A file whose shape
 * does not show is left to detectShape.
 */
export function requireOneShape(
  files: readonly { readonly path: string; readonly rows: readonly RowFields[] }[],
): void {
  const found = new Map<PairShape, string>();
  for (const { path, rows } of files) {
    const shape = PAIR_SHAPES.find(
      (each) => rows.filter((fields) => SHAPES[each].matches(fields)).length * 2 > rows.length,
    );
    if (shape !== undefined && !found.has(shape)) found.set(shape, path);
  }
  if (found.size < 2) return;
  const named = [...found].map(([shape, path]) => `${path} has ${shape}`).join(", ");
  throw new ConfigError(`pairs: expected files of one shape, got several: ${named}`, {
    hint: `Give them one after the other, or write them in one shape. ${knownShapes()}`,
  });
}

function checkNamed(shape: PairShape, rows: readonly RowFields[], found: string): DetectedShape {
  const named = SHAPES[shape];
  const count = rows.filter(
    (fields) => named.matchesAsNamed?.(fields) ?? named.matches(fields),
  ).length;
  if (count === 0) {
    throw new ConfigError(
      `pairs: expected rows with ${SHAPES[shape].describe} (${shape}, as named), got ${found}`,
      { hint: knownShapes() },
    );
  }
  return {
    shape,
    reason: `${shape}: named by the user; ${count} of ${rows.length} sampled rows have ${SHAPES[shape].describe}.`,
  };
}

/** `columns "prompt" (text), "chosen" (a number)`, as the first row has them. */
function describeColumns(first: RowFields, columns: readonly string[]): string {
  const named = columns.map((name) => {
    const value = ownField(first, name);
    return `${JSON.stringify(name)}${value === undefined ? "" : ` (${kindOf(value)})`}`;
  });
  return `columns ${named.length === 0 ? "none" : named.join(", ")}`;
}

/** Other names for the columns of pairs, in small letters. */
const OTHER_NAMES: Readonly<Record<string, readonly string[]>> = {
  prompt: ["question", "instruction", "query", "input", "request"],
  chosen: ["preferred", "better", "accepted", "win", "winner", "chosen_response"],
  rejected: ["dispreferred", "worse", "declined", "lose", "loser", "rejected_response"],
};

/** What may be meant, a sentence and a space; "" where nothing comes to mind. */
function guess(first: RowFields, columns: readonly string[]): string {
  const values = columns.map((name) => ownField(first, name));
  if (values.length > 0 && values.every((value) => isObject(value) && "0" in value)) {
    return 'The file seems to hold columns instead of rows: pandas writes rows with to_json(path, orient="records", lines=True). ';
  }
  const meant = Object.entries(OTHER_NAMES).flatMap(([name, others]) => {
    if (columns.includes(name)) return [];
    const found =
      columns.find((each) => [name, ...others].includes(each.toLowerCase())) ??
      nearest(
        name,
        columns.filter((each) => !Object.hasOwn(OTHER_NAMES, each)),
      );
    return found === undefined ? [] : [`${JSON.stringify(found)} to ${name}`];
  });
  return meant.length === 0 ? "" : `Rename ${meant.join(", ")}? `;
}

function knownShapes(): string {
  return `Known shapes: ${PAIR_SHAPES.map((shape) => `${shape} (${SHAPES[shape].describe})`).join("; ")}.`;
}
