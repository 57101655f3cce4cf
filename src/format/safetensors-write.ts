import { writeFileAtomic } from "../util/atomic-file.ts";
import { dtypeBits, tensorByteLength, type SafetensorsDtype } from "./safetensors-dtype.ts";
import { LENGTH_BYTES, MAX_HEADER_BYTES, quoteName } from "./safetensors-header.ts";

/** One tensor to write; `bytes` are its elements in row-major order, little-endian. */
export interface SafetensorsTensor {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/**
 * Writes a safetensors file, whole or not at all. Wide dtypes come first in the file, so that every tensor is aligned to its
 * element size and other readers can map it; otherwise the given order is kept. The same input gives the same bytes.
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly SafetensorsTensor[],
  metadata?: Readonly<Record<string, string>>,
): Promise<void> {
  const inOrder = tensors.toSorted((a, b) => dtypeBits(b.dtype) - dtypeBits(a.dtype));
  const chunks = [encodeHeader(path, inOrder, metadata), ...inOrder.map((tensor) => tensor.bytes)];
  await writeFileAtomic(path, chunks);
}

function encodeHeader(
  path: string,
  tensors: readonly SafetensorsTensor[],
  metadata: Readonly<Record<string, string>> | undefined,
): Uint8Array {
  // Entries, not an object: "__proto__" is a legal name, and a repeated one must not vanish.
  const members: string[] = [];
  if (metadata !== undefined) members.push(`"__metadata__":${JSON.stringify(metadata)}`);
  const seen = new Set(["__metadata__"]);
  let offset = 0;
  for (const { name, dtype, shape, bytes } of tensors) {
    checkTensor(path, seen, { name, dtype, shape, bytes });
    const end = offset + bytes.length;
    members.push(
      `${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [offset, end] })}`,
    );
    offset = end;
  }
  const json = new TextEncoder().encode(`{${members.join(",")}}`);
  // Trailing spaces are part of the format: they bring the data to a multiple of 8 bytes.
  const header = new Uint8Array(LENGTH_BYTES + Math.ceil(json.length / 8) * 8).fill(0x20);
  if (header.length - LENGTH_BYTES > MAX_HEADER_BYTES) {
    throw new Error(
      `internal: ${path}: header of ${header.length} bytes is above the format's limit`,
    );
  }
  new DataView(header.buffer).setBigUint64(0, BigInt(header.length - LENGTH_BYTES), true);
  header.set(json, LENGTH_BYTES);
  return header;
}

function checkTensor(path: string, seen: Set<string>, tensor: SafetensorsTensor): void {
  const where = `internal: ${path}: tensor ${quoteName(tensor.name)}`;
  if (seen.has(tensor.name)) throw new Error(`${where} is there twice, or its name is reserved`);
  seen.add(tensor.name);
  const needed = tensorByteLength(tensor.dtype, tensor.shape);
  if (needed !== tensor.bytes.length) {
    throw new Error(
      `${where} of ${tensor.dtype} [${tensor.shape.join(", ")}] needs ${needed} bytes, got ${tensor.bytes.length}`,
    );
  }
}
