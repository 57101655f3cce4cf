import { canonicalJson } from "./hash.ts";

/** Where two plain values differ first, `a.b` for members of members, and what stands there as JSON; undefined where they are equal. */
export function firstDifference(
  a: unknown,
  b: unknown,
  path = "",
): { readonly path: string; readonly a: string; readonly b: string } | undefined {
  if (canonicalJson(a) === canonicalJson(b)) return undefined;
  if (isPlainObject(a) && isPlainObject(b)) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
      const found = firstDifference(a[key], b[key], path === "" ? key : `${path}.${key}`);
      if (found !== undefined) return found;
    }
  }
  return { path, a: JSON.stringify(a), b: JSON.stringify(b) };
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
