/** FNV-1a over a text's UTF-16 units, a signed 32-bit number; `start` is 0x811c9dc5 in the original. */
export function hashText(text: string, start: number = 0x811c9dc5): number {
  let hash = start;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

/** The finaliser of MurmurHash3: every bit of the word reaches every bit of the result, from 0 to 2^32 − 1. */
export function mixBits(word: number): number {
  let hash = word;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
