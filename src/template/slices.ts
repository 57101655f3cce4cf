import { toIndex } from "./numbers.ts";
import { typeError, valueError } from "./python-error.ts";
import { codePoints } from "./text.ts";
import { Markup, Range, Tuple, Undefined, type Value, textOf, typeName } from "./values.ts";

/** Each part of `[start:stop:step]`, null where it was left out. */
export interface Slice {
  readonly start: Value;
  readonly stop: Value;
  readonly step: Value;
}

/** `value[start:stop:step]` of a text, list, tuple or range. */
export function takeSlice(value: Value, slice: Slice): Value {
  if (value instanceof Undefined) return value.fail();
  const text = textOf(value);
  if (text !== undefined) {
    const taken = sliceText(text, slice);
    return value instanceof Markup ? new Markup(taken) : taken;
  }
  if (Array.isArray(value)) return positions(slice, value.length).map((i) => value[i]!);
  if (value instanceof Tuple) {
    return new Tuple(positions(slice, value.values.length).map((i) => value.values[i]!));
  }
  if (value instanceof Range) return sliceRange(value, slice);
  throw typeError(`'${typeName(value)}' object is not subscriptable`);
}

function sliceText(text: string, slice: Slice): string {
  const points = codePoints(text);
  const { start, stop, step } = bounds(slice, points.length);
  if (step === 1) {
    const part = points.slice(start, Math.max(start, stop));
    return typeof part === "string" ? part : part.join("");
  }
  return positions(slice, points.length)
    .map((i) => points[i])
    .join("");
}

function sliceRange(range: Range, slice: Slice): Range {
  const { start, stop, step } = bounds(slice, range.length);
  return new Range(range.at(start), range.at(stop), range.step * BigInt(step));
}

function positions(slice: Slice, length: number): number[] {
  const { start, stop, step } = bounds(slice, length);
  const all: number[] = [];
  for (let i = start; step > 0 ? i < stop : i > stop; i += step) all.push(i);
  return all;
}

function bounds(slice: Slice, length: number): { start: number; stop: number; step: number } {
  const step = slice.step === null ? 1 : bound(slice.step);
  if (step === 0) throw valueError("slice step cannot be zero");
  const clamp = step > 0 ? clampIndex : clampBackward;
  const start =
    slice.start === null ? (step > 0 ? 0 : length - 1) : clamp(bound(slice.start), length);
  const stop = slice.stop === null ? (step > 0 ? length : -1) : clamp(bound(slice.stop), length);
  return { start, stop, step };
}

function bound(value: Value): number {
  if (typeof value === "bigint" || typeof value === "boolean") return toIndex(value);
  throw typeError("slice indices must be integers or None or have an __index__ method");
}

/** An index from the front or the back, within 0 … length. */
export function clampIndex(index: number, length: number): number {
  return Math.min(length, Math.max(0, index < 0 ? index + length : index));
}

function clampBackward(index: number, length: number): number {
  return Math.min(length - 1, Math.max(-1, index < 0 ? index + length : index));
}
