import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

/** SHA-256 of a text, hex. */
export function hashText(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("hex");
}

/** SHA-256 of bytes, hex. */
export function hashBytes(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** SHA-256 of a value as JSON with sorted keys, hex: equal values give equal hashes whatever their key order. */
export function hashValue(value: unknown): string {
  return hashText(canonicalJson(value));
}

/** SHA-256 of a file's bytes, hex; streams, so memory does not grow with the file. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    hash.update(chunk as Buffer); // no encoding is set, so chunks are buffers
  }
  return hash.digest("hex");
}

/** JSON with object keys in code-unit order at every level; `undefined` members are left out as JSON does, bigints written as text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member === "bigint") return String(member);
    if (member === null || typeof member !== "object" || Array.isArray(member)) return member;
    return Object.fromEntries(
      Object.entries(member).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
    );
  });
}
