import { ConfigError } from "../util/errors.ts";
import type { RowFields } from "./readers/file-row.ts";
import { otherKind } from "./row-kind.ts";
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
  const found = `columns ${columns.length === 0 ? "none" : columns.map((name) => JSON.stringify(name)).join(", ")}`;
  if (named !== undefined) return checkNamed(named, rows, found);
  const [best, second] = counts;
  if (best === undefined || best.count * 2 <= rows.length) {
    const nearest = counts.find(({ count }) => count > 0);
    throw new ConfigError(
      `pairs: expected rows of a known shape, got ${found} (${nearest === undefined ? `none of ${rows.length} sampled rows fits any shape` : `${nearest.shape} fits best, ${nearest.count} of ${rows.length} sampled rows`})${otherKind(rows[0] ?? {}, "preference pairs")}`,
      { hint: knownShapes() },
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

function knownShapes(): string {
  return `Known shapes: ${PAIR_SHAPES.map((shape) => `${shape} (${SHAPES[shape].describe})`).join("; ")}.`;
}
