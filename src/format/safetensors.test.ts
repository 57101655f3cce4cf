import { mkdtemp, open, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { ConfigError, FormatError } from "../util/errors.ts";
import { createRng } from "../util/rng.ts";
import { tensorByteLength } from "./safetensors-dtype.ts";
import {
  openSafetensors,
  parseSafetensorsHeader,
  readFully,
  writeSafetensors,
  type SafetensorsDtype,
  type SafetensorsEntry,
  type SafetensorsTensor,
} from "./safetensors.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "culprit-safetensors-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** A whole file from JSON text and the size of its data area. */
function fileOf(json: string, dataBytes: number): Uint8Array {
  const text = new TextEncoder().encode(json);
  const file = new Uint8Array(8 + text.length + dataBytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  return file;
}

function parse(json: string, dataBytes = 0): ReturnType<typeof parseSafetensorsHeader> {
  const file = fileOf(json, dataBytes);
  return parseSafetensorsHeader(file, file.length, "x.safetensors");
}

const entry = (dtype: string, shape: string, begin: number, end: number): string =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":[${begin},${end}]}`;

describe("parseSafetensorsHeader", () => {
  it("reads dtype, shape, place and metadata", () => {
    const json = `{"__metadata__":{"format":"pt"},"b":${entry("F16", "[2,3]", 4, 16)},"a":${entry("F32", "[]", 0, 4)}} `;
    const { tensors, metadata } = parse(json, 16);
    expect([...tensors]).toEqual([
      ["b", { dtype: "F16", shape: [2, 3], byteOffset: 8 + json.length + 4, byteLength: 12 }],
      ["a", { dtype: "F32", shape: [], byteOffset: 8 + json.length, byteLength: 4 }],
    ]);
    expect({ ...metadata }).toEqual({ format: "pt" });
  });

  it("takes empty tensors and a file without tensors", () => {
    expect(parse("{}").tensors.size).toBe(0);
    const empty = `{"a":${entry("F32", "[0,5]", 0, 0)},"b":${entry("I8", "[2]", 0, 2)},"c":${entry("F32", "[3,0]", 2, 2)}}`;
    expect(parse(empty, 2).tensors.get("c")?.byteLength).toBe(0);
  });

  it("keeps names like __proto__ as ordinary names", () => {
    const json = `{"__metadata__":{"__proto__":"x"},"__proto__":${entry("U8", "[1]", 0, 1)},"constructor":${entry("U8", "[1]", 1, 2)}}`;
    const { tensors, metadata } = parse(json, 2);
    expect([...tensors.keys()]).toEqual(["__proto__", "constructor"]);
    expect(metadata["__proto__"]).toBe("x");
    expect(metadata["toString"]).toBeUndefined();
    expect(({} as Record<string, unknown>)["dtype"]).toBeUndefined();
  });

  it("says which tensor ends behind the file, and by how much", () => {
    const json = `{"lm_head.weight":${entry("F32", "[100]", 0, 400)}}`;
    const file = fileOf(json, 388);
    const expected = `model-00002.safetensors: tensor "lm_head.weight" ends at byte ${8 + json.length + 400}, file has ${file.length}`;
    const parseIt = (): unknown =>
      parseSafetensorsHeader(file, file.length, "model-00002.safetensors");
    expect(parseIt).toThrow(FormatError);
    expect(parseIt).toThrow(expected);
    expect(parseIt).toThrow(expect.objectContaining({ hint: expect.stringContaining("Download") }));
  });

  it.each([
    ["not JSON", `{"a":`, 0, "not valid UTF-8 JSON"],
    ["a byte order mark", "\ufeff{}", 0, "not valid UTF-8 JSON"],
    ["an array", "[]", 0, "must be a JSON object"],
    ["null", "null", 0, "must be a JSON object"],
    ["a tensor that is no object", `{"a":3}`, 0, `tensor "a" must be a JSON object`],
    ["an unknown dtype", `{"a":${entry("F12", "[1]", 0, 2)}}`, 2, `unknown dtype "F12"`],
    ["a dtype of the prototype", `{"a":${entry("toString", "[1]", 0, 2)}}`, 2, "unknown dtype"],
    ["a missing dtype", `{"a":{"shape":[1],"data_offsets":[0,1]}}`, 1, "unknown dtype"],
    ["a negative size", `{"a":${entry("U8", "[-1]", 0, 1)}}`, 1, "no shape of whole numbers"],
    ["a fractional size", `{"a":${entry("U8", "[1.5]", 0, 1)}}`, 1, "no shape of whole numbers"],
    ["a size of 2^53", `{"a":${entry("U8", "[9007199254740992,0]", 0, 0)}}`, 0, "no shape"],
    [
      "a product above 2^53",
      `{"a":${entry("U8", "[4294967296,4294967296]", 0, 0)}}`,
      0,
      "no whole",
    ],
    [
      "a product that wraps in 64 bits",
      `{"a":${entry("U8", "[4294967296,4294967296,0]", 0, 0)}}`,
      0,
      "no whole",
    ],
    ["a shape that needs more", `{"a":${entry("F32", "[2]", 0, 4)}}`, 4, "needs 8 bytes"],
    ["a sub-byte rest", `{"a":${entry("F4", "[3]", 0, 1)}}`, 1, "no whole number of bytes"],
    ["offsets that run backwards", `{"a":${entry("U8", "[1]", 1, 0)}}`, 1, "needs 1 bytes"],
    [
      "three offsets",
      `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,1]}}`,
      1,
      "no data_offsets",
    ],
    ["negative offsets", `{"a":${entry("U8", "[1]", -1, 0)}}`, 1, "no data_offsets"],
    [
      "an overlap",
      `{"a":${entry("U8", "[2]", 0, 2)},"b":${entry("U8", "[2]", 1, 3)}}`,
      3,
      `"b" overlaps`,
    ],
    [
      "the same bytes twice",
      `{"a":${entry("U8", "[2]", 0, 2)},"b":${entry("U8", "[2]", 0, 2)}}`,
      2,
      "overlaps",
    ],
    [
      "an empty tensor inside another",
      `{"a":${entry("U8", "[2]", 0, 2)},"b":${entry("U8", "[0]", 1, 1)}}`,
      2,
      "overlaps",
    ],
    [
      "a hole",
      `{"a":${entry("U8", "[1]", 0, 1)},"b":${entry("U8", "[1]", 2, 3)}}`,
      3,
      `"b" leaves a hole`,
    ],
    ["a hole at the start", `{"a":${entry("U8", "[1]", 1, 2)}}`, 2, "leaves a hole"],
    ["bytes behind the last tensor", `{"a":${entry("U8", "[1]", 0, 1)}}`, 2, "tensors end at byte"],
    [
      "a tensor twice",
      `{"a":${entry("U8", "[1]", 0, 1)},"\\u0061":${entry("U8", "[1]", 0, 1)}}`,
      1,
      `key "a" twice`,
    ],
    [
      "a field twice",
      `{"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}`,
      1,
      `key "dtype" twice`,
    ],
    ["metadata twice", `{"__metadata__":{},"__metadata__":{}}`, 0, `key "__metadata__" twice`],
    ["metadata that is no text", `{"__metadata__":{"n":1}}`, 0, `"n" must be a string`],
    ["metadata that is no object", `{"__metadata__":"x"}`, 0, "must be a JSON object"],
  ])("refuses %s", (_what, json, dataBytes, message) => {
    expect(() => parse(json, dataBytes)).toThrow(FormatError);
    expect(() => parse(json, dataBytes)).toThrow(message);
  });

  it("finds no duplicate where equal keys stand in different objects, or in strings", () => {
    const json = `{"__metadata__":{"a":"{\\"a\\":1,\\"a\\":2}","dtype":"\\\\"},"a":${entry("U8", "[1]", 0, 1)},"dtype":${entry("U8", "[0]", 1, 1)}}`;
    expect(parse(json, 1).tensors.size).toBe(2);
  });

  it("refuses invalid UTF-8", () => {
    const file = fileOf(`{"??":${entry("U8", "[0]", 0, 0)}}`, 0);
    file.set([0xc3, 0x28], 10);
    expect(() => parseSafetensorsHeader(file, file.length, "x")).toThrow("not valid UTF-8 JSON");
  });

  it.each([
    ["an empty file", new Uint8Array(0), 0, "at least 8 bytes, this one has 0"],
    ["seven bytes", new Uint8Array(7), 7, "at least 8 bytes, this one has 7"],
    [
      "a header longer than the file",
      Uint8Array.of(200, 0, 0, 0, 0, 0, 0, 0),
      100,
      "ends at byte 208, file has 100",
    ],
    [
      "a header above 100 MB",
      Uint8Array.of(1, 0xe1, 0xf5, 5, 0, 0, 0, 0),
      2 ** 40,
      "at most 100000000",
    ],
    [
      "a header of 2^64-1 bytes",
      new Uint8Array(8).fill(255),
      900,
      "got one of 18446744073709551615 bytes",
    ],
  ])("refuses %s", (_what, bytes, size, message) => {
    expect(() => parseSafetensorsHeader(bytes, size, "x")).toThrow(FormatError);
    expect(() => parseSafetensorsHeader(bytes, size, "x")).toThrow(message);
  });
});

describe("openSafetensors", () => {
  const values = Uint8Array.from({ length: 24 }, (_, i) => i);

  it("reads whole tensors and ranges of rows, into a given buffer too", async () => {
    const path = join(folder, "rows.safetensors");
    await writeSafetensors(path, [
      { name: "m", dtype: "F16", shape: [4, 3], bytes: values },
      { name: "s", dtype: "I64", shape: [], bytes: values.subarray(0, 8) },
    ]);
    await using file = await openSafetensors(path);
    expect(file.path).toBe(path);
    expect(await file.readBytes("m")).toEqual(values);
    expect(await file.readBytes("s")).toEqual(values.subarray(0, 8));
    expect(await file.readRows("m", 1, 2)).toEqual(values.subarray(6, 18));
    expect(await file.readRows("m", 4, 0)).toEqual(new Uint8Array(0));
    const buffer = new Uint8Array(30).fill(99);
    const got = await file.readRows("m", 3, 1, buffer);
    expect(got.buffer).toBe(buffer.buffer);
    expect(got).toEqual(values.subarray(18));
    expect(buffer[6]).toBe(99);
    await expect(file.readRows("m", 3, 2)).rejects.toThrow("has 4 rows, asked for rows 3 to 5");
    await expect(file.readRows("m", -1, 1)).rejects.toThrow("has 4 rows");
    await expect(file.readBytes("m", new Uint8Array(23))).rejects.toThrow("room for 23");
    await expect(file.readBytes("x")).rejects.toThrow(`expected a tensor "x", there is none`);
  });

  it("refuses a missing file and a folder", async () => {
    await expect(openSafetensors(join(folder, "no"))).rejects.toThrow("no such file");
    await expect(openSafetensors(folder)).rejects.toThrow(ConfigError);
  });

  it("refuses a file cut short, at the time of opening", async () => {
    const path = join(folder, "cut.safetensors");
    await writeSafetensors(path, [{ name: "m", dtype: "U8", shape: [24], bytes: values }]);
    await truncate(path, (await stat(path)).size - 5);
    await expect(openSafetensors(path)).rejects.toThrow(/"m" ends at byte \d+, file has \d+/);
    await truncate(path, 5);
    await expect(openSafetensors(path)).rejects.toThrow("at least 8 bytes, this one has 5");
  });

  it("notices a file that shrinks while it is open", async () => {
    const path = join(folder, "shrinks.safetensors");
    await writeSafetensors(path, [{ name: "m", dtype: "U8", shape: [24], bytes: values }]);
    await using file = await openSafetensors(path);
    await truncate(path, (await stat(path)).size - 5);
    await expect(file.readBytes("m")).rejects.toThrow(FormatError);
  });

  it("fills a buffer in pieces where one read call does not reach", async () => {
    const path = join(folder, "pieces");
    await writeFile(path, values);
    const handle = await open(path);
    const target = new Uint8Array(20);
    await readFully(handle, target, { position: 3, name: path, pieceBytes: 7 });
    await handle.close();
    expect(target).toEqual(values.subarray(3, 23));
  });
});

describe("writeSafetensors", () => {
  it("refuses tensors that do not fit their bytes, reserved and repeated names", async () => {
    const path = join(folder, "never.safetensors");
    const one = { name: "a", dtype: "U8", shape: [1], bytes: new Uint8Array(1) } as const;
    await expect(writeSafetensors(path, [{ ...one, shape: [2] }])).rejects.toThrow("needs 2 bytes");
    await expect(writeSafetensors(path, [one, one])).rejects.toThrow("twice");
    await expect(writeSafetensors(path, [{ ...one, name: "__metadata__" }])).rejects.toThrow(
      "reserved",
    );
    await expect(stat(path)).rejects.toThrow("ENOENT");
  });
});

const dtypes = [
  "U8",
  "BOOL",
  "F16",
  "BF16",
  "I32",
  "F32",
  "F64",
  "I64",
] as const satisfies SafetensorsDtype[];
const tensorArbitrary: fc.Arbitrary<SafetensorsTensor> = fc
  .record({
    name: fc.string({ unit: "binary", maxLength: 12 }).filter((name) => name !== "__metadata__"),
    dtype: fc.constantFrom(...dtypes),
    shape: fc.array(fc.nat(4), { maxLength: 3 }),
    seed: fc.nat(),
  })
  .map(({ name, dtype, shape, seed }) => {
    const rng = createRng(seed);
    const bytes = new Uint8Array(tensorByteLength(dtype, shape)!).map(() => rng.integer(256));
    return { name, dtype, shape, bytes };
  });
const fileArbitrary = fc.record({
  tensors: fc.uniqueArray(tensorArbitrary, { selector: (tensor) => tensor.name, maxLength: 6 }),
  metadata: fc.option(fc.dictionary(fc.string({ unit: "binary" }), fc.string({ unit: "binary" })), {
    nil: undefined,
  }),
});

describe("for any file", () => {
  it("reads back what it wrote, aligned to the element size", async () => {
    const path = join(folder, "round-trip.safetensors");
    await fc.assert(
      fc.asyncProperty(fileArbitrary, async ({ tensors, metadata }) => {
        await writeSafetensors(path, tensors, metadata);
        await using file = await openSafetensors(path);
        expect(new Map(Object.entries(file.metadata))).toEqual(
          new Map(Object.entries(metadata ?? {})),
        );
        expect(file.tensors.size).toBe(tensors.length);
        for (const { name, dtype, shape, bytes } of tensors) {
          const entryRead = file.tensors.get(name)!;
          expect(entryRead).toMatchObject({ dtype, shape });
          expect(entryRead.byteOffset % tensorByteLength(dtype, [])!).toBe(0);
          expect(await file.readBytes(name)).toEqual(bytes);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("answers random damage with a FormatError or with tensors that lie inside the file", async () => {
    const path = join(folder, "damaged.safetensors");
    await writeSafetensors(
      path,
      [
        { name: "a.weight", dtype: "F32", shape: [3, 4], bytes: new Uint8Array(48) },
        { name: "b", dtype: "BF16", shape: [10], bytes: new Uint8Array(20) },
        { name: "c", dtype: "U8", shape: [0, 7], bytes: new Uint8Array(0) },
      ],
      { format: "pt" },
    );
    const whole = new Uint8Array(await readFile(path));
    const snippet = fc.constantFrom(
      "0",
      "9",
      "-",
      "1e3",
      "e9",
      '"',
      "[",
      "]",
      "{",
      "}",
      ",",
      "F64",
      "null",
      " ",
      "\\",
    );
    const damage = fc.record({
      at: fc.nat(whole.length - 1),
      replacement: fc.oneof(
        fc.uint8Array({ maxLength: 9 }),
        snippet.map((text) => new TextEncoder().encode(text)),
      ),
      cut: fc.nat(9),
    });
    let survived = 0;
    let refused = 0;
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), (damages) => {
        let bytes = whole;
        for (const { at, replacement, cut } of damages) {
          bytes = Uint8Array.from([
            ...bytes.subarray(0, at),
            ...replacement,
            ...bytes.subarray(at + cut),
          ]);
        }
        const outcome = tryParse(bytes);
        if (outcome === "refused") refused++;
        else survived++;
        const ends = outcome === "refused" ? [] : [...outcome.values()].map(endOf);
        expect(ends.filter((end) => end > bytes.length)).toEqual([]);
      }),
      { numRuns: 4000 },
    );
    expect(survived).toBeGreaterThan(0);
    expect(refused).toBeGreaterThan(1000);
  });
});

/** Lets every error through that is not the one the user should see. */
function tryParse(bytes: Uint8Array): ReadonlyMap<string, SafetensorsEntry> | "refused" {
  try {
    return parseSafetensorsHeader(bytes, bytes.length, "damaged").tensors;
  } catch (error) {
    if (error instanceof FormatError) return "refused";
    throw error;
  }
}

function endOf({ byteOffset, byteLength }: SafetensorsEntry): number {
  return byteOffset < 8 || byteLength < 0 ? Infinity : byteOffset + byteLength;
}
