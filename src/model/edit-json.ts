/** A string or a number of a JSON text; strings come first, so that digits inside them are passed over. */
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
/** Marks a string that stands for the text of a number; no config has this character. */
const MARKED = /"\\u0001([^"]*)"/g;

/**
 * A JSON object with some top-level members set, other numbers spelled as they were: `5.0` stays a float, which Python tells from `5`
 * (transformers 5 refuses an integer in some fields), and no digit of a long one is lost.
 */
export function editJson(text: string, changes: Readonly<Record<string, unknown>>): string {
  const guarded = text.replaceAll(STRING_OR_NUMBER, (token) =>
    token.startsWith('"') || String(Number(token)) === token ? token : `"\\u0001${token}"`,
  );
  const members = JSON.parse(guarded) as object; // the caller has read it as an object
  const edited = JSON.stringify({ ...members, ...changes }, undefined, 2);
  return `${edited.replaceAll(MARKED, "$1")}\n`;
}
