/** @file What a worker found for a chunk, read back. */
import { z } from "zod";

import { openSafetensors } from "../../format/safetensors.ts";
import { FormatError } from "../../util/errors.ts";

const aboutSchema = z.strictObject({
  /** Of the first number that is not finite; `example` counts within the chunk. */
  notFinite: z.strictObject({ example: z.int(), layer: z.int().optional() }).optional(),
  /** Batch sizes for which memory ran out before it went through with half. */
  outOfMemory: z.array(z.number()).optional(),
});

export interface ChunkResult {
  readonly about: z.output<typeof aboutSchema>;
  /** Numbers of a tensor. Throws FormatError where it has another dtype or count. */
  floats(name: string, count: number): Float32Array;
  doubles(name: string, count: number): Float64Array;
  ints(name: string, count?: number): Int32Array;
  bytes(name: string, count: number): Uint8Array;
}

/** Reads a whole result. Throws FormatError where the file is not what a worker writes. */
export async function readResult(path: string): Promise<ChunkResult> {
  await using file = await openSafetensors(path);
  const found = new Map<string, { dtype: string; bytes: Uint8Array }>();
  for (const [name, { dtype }] of file.tensors) {
    found.set(name, { dtype, bytes: (await file.readBytes(name)).slice() });
  }
  const take = (name: string, dtype: string, width: number, count: number | undefined) => {
    const tensor = found.get(name);
    const got = tensor && tensor.bytes.length / width;
    if (tensor?.dtype === dtype && (count === undefined || got === count))
      return tensor.bytes.buffer;
    throw new FormatError(
      `${path}: ${name}: expected ${count ?? "some"} numbers of ${dtype}, got ${tensor === undefined ? "none" : `${got} of ${tensor.dtype}`}`,
      { hint: "Delete the file; the same command makes it again." },
    );
  };
  return {
    about: readAbout(path, file.metadata["culprit"]),
    floats: (name, count) => new Float32Array(take(name, "F32", 4, count)),
    doubles: (name, count) => new Float64Array(take(name, "F64", 8, count)),
    ints: (name, count) => new Int32Array(take(name, "I32", 4, count)),
    bytes: (name, count) => new Uint8Array(take(name, "U8", 1, count)),
  };
}

function readAbout(path: string, text: string | undefined): ChunkResult["about"] {
  try {
    return aboutSchema.parse(JSON.parse(text ?? ""));
  } catch (error) {
    throw new FormatError(
      `${path}: expected what a worker writes, its metadata says something else`,
      {
        hint: "Delete the file; the same command makes it again.",
        cause: error,
      },
    );
  }
}
