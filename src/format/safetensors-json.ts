/**
 * First key that occurs twice in one object of a JSON text, or undefined. `JSON.parse` keeps the last of two equal keys in
 * silence, and another reader may keep the first: a file like that means two things. The text must be valid JSON.
 */
export function findDuplicateKey(json: string): string | undefined {
  // One entry per open bracket: the keys seen so far, or undefined inside an array.
  const open: (Set<string> | undefined)[] = [];
  let isKeyNext = false;
  for (let i = 0; i < json.length; i++) {
    switch (json.charAt(i)) {
      case "{":
        open.push(new Set());
        isKeyNext = true;
        break;
      case "[":
        open.push(undefined);
        isKeyNext = false;
        break;
      case "}":
      case "]":
        open.pop();
        break;
      case ",":
        isKeyNext = open.at(-1) !== undefined;
        break;
      case '"': {
        const end = endOfString(json, i);
        const keys = open.at(-1);
        if (isKeyNext && keys !== undefined) {
          // Parsed, because "a" and "\u0061" are the same key.
          const key = JSON.parse(json.slice(i, end + 1)) as string;
          if (keys.has(key)) return key;
          keys.add(key);
          isKeyNext = false;
        }
        i = end;
        break;
      }
      default:
    }
  }
  return undefined;
}

/** Place of the quote that ends the string begun at `start`: the first one behind an even number of backslashes. */
function endOfString(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); ; end = json.indexOf('"', end + 1)) {
    if (end === -1) throw new Error("internal: the text is not valid JSON");
    let backslashes = 0;
    while (json[end - 1 - backslashes] === "\\") backslashes++;
    if (backslashes % 2 === 0) return end;
  }
}
