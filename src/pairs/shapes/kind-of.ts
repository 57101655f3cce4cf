/** "a number", "a list", "null": what stands where something else was expected. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  return typeof value === "string"
    ? "text"
    : typeof value === "object"
      ? "an object"
      : `a ${typeof value}`;
}
