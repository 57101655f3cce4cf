import { describe, expect, it } from "vitest";

import {
  bfloat16ToFloat32,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
} from "./float16.ts";
import { createRng } from "./rng.ts";

interface Layout {
  readonly exponentBits: number;
  readonly mantissaBits: number;
}

const HALF: Layout = { exponentBits: 5, mantissaBits: 10 };
const BRAIN: Layout = { exponentBits: 8, mantissaBits: 7 };
const ALL_BITS = Uint16Array.from({ length: 65536 }, (_, i) => i);

/** The IEEE 754 definition in float64, which holds every 16-bit value exactly. */
function decode(bits: number, { exponentBits, mantissaBits }: Layout): number {
  const sign = bits >= 0x8000 ? -1 : 1;
  const exponent = Math.floor((bits % 0x8000) / 2 ** mantissaBits);
  const fraction = (bits % 2 ** mantissaBits) / 2 ** mantissaBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === 2 ** exponentBits - 1) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0
    ? sign * fraction * 2 ** (1 - bias)
    : sign * (1 + fraction) * 2 ** (exponent - bias);
}

/** Nearest finite magnitude by search in the sorted table of all values; ties to the even bit pattern. */
function encodeBySearch(value: number, layout: Layout): number {
  const infinity = (2 ** layout.exponentBits - 1) * 2 ** layout.mantissaBits;
  const sign = Object.is(value, -0) || value < 0 ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  // What Infinity's pattern would mean if the exponent went one further: the rounding border lies half-way to it.
  const valueAt = (bits: number): number =>
    bits === infinity ? 2 ** (2 ** (layout.exponentBits - 1)) : decode(bits, layout);
  if (magnitude >= valueAt(infinity)) return sign + infinity;
  let low = 0;
  let high = infinity;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (valueAt(middle) <= magnitude) low = middle;
    else high = middle;
  }
  const below = magnitude - valueAt(low);
  const above = valueAt(high) - magnitude;
  const nearest = below < above || (below === above && low % 2 === 0) ? low : high;
  return sign + nearest;
}

function sampleSingles(): Float32Array {
  const rng = createRng(7);
  const anyBits = Uint32Array.from({ length: 60_000 }, () => rng.integer(2 ** 32));
  const values = [...new Float32Array(anyBits.buffer)].filter((value) => !Number.isNaN(value));
  for (let i = 0; i < 20_000; i++) values.push(rng.normal() * 2 ** (rng.integer(45) - 30));
  return Float32Array.from(values);
}

/** Every midpoint of two neighbours, where ties decide, and the singles just beside it. */
function midpoints(layout: Layout): Float32Array {
  const values: number[] = [];
  const infinity = (2 ** layout.exponentBits - 1) * 2 ** layout.mantissaBits;
  for (let bits = 0; bits < infinity; bits++) {
    const next =
      bits + 1 === infinity ? 2 ** (2 ** (layout.exponentBits - 1)) : decode(bits + 1, layout);
    const word = new Uint32Array(Float32Array.of((decode(bits, layout) + next) / 2).buffer)[0]!;
    for (const near of [word - 1, word, word + 1]) {
      if (near >= 0) values.push(new Float32Array(Uint32Array.of(near).buffer)[0]!);
    }
  }
  return Float32Array.from([...values, ...values.map((value) => -value)]);
}

describe.each([
  { name: "float16", layout: HALF, widen: float16ToFloat32, narrow: float32ToFloat16 },
  { name: "bfloat16", layout: BRAIN, widen: bfloat16ToFloat32, narrow: float32ToBfloat16 },
])("$name", ({ layout, widen, narrow }) => {
  it("widens all 65,536 values as the format defines them", () => {
    const got = widen(ALL_BITS);
    const wrong = [...ALL_BITS].filter((bits) => !Object.is(got[bits], decode(bits, layout)));
    expect(wrong).toEqual([]);
  });

  it("narrows every widened value back to its own bits, and NaN to a NaN of the same sign", () => {
    const back = narrow(widen(ALL_BITS));
    const wrong = [...ALL_BITS].filter((bits) =>
      Number.isNaN(decode(bits, layout))
        ? !Number.isNaN(decode(back[bits]!, layout)) || (back[bits]! ^ bits) >= 0x8000
        : back[bits] !== bits,
    );
    expect(wrong).toEqual([]);
  });

  it.each([
    { kind: "random singles", values: sampleSingles() },
    { kind: "ties and their neighbours", values: midpoints(layout) },
    { kind: "edges", values: Float32Array.of(0, -0, Infinity, -Infinity, 3.4028235e38, 1e-45) },
  ])("rounds $kind to the nearest value, ties to even", ({ values }) => {
    const got = narrow(values);
    const wrong = [...values].filter((value, i) => got[i] !== encodeBySearch(value, layout));
    expect(wrong).toEqual([]);
  });

  it("writes into a longer buffer and returns the part it wrote", () => {
    const wide = new Float32Array(5).fill(9);
    const written = widen(Uint16Array.of(0, 0x8000), wide);
    expect(written.buffer).toBe(wide.buffer);
    expect([...written]).toEqual([0, -0]);
    expect(wide[2]).toBe(9);
    expect([...narrow(wide.subarray(0, 2), new Uint16Array(3))]).toEqual([0, 0x8000]);
  });

  it("refuses a buffer that is too short", () => {
    expect(() => widen(ALL_BITS, new Float32Array(3))).toThrow("room for 3");
    expect(() => narrow(new Float32Array(4), new Uint16Array(3))).toThrow("room for 3");
  });
});

it("turns a single NaN whose low bits alone are set into a NaN, not Infinity", () => {
  const nan = new Float32Array(Uint32Array.of(0x7f800001, 0xff800001).buffer);
  expect([...float32ToFloat16(nan)].map((bits) => decode(bits, HALF))).toEqual([NaN, NaN]);
  expect([...float32ToBfloat16(nan)].map((bits) => decode(bits, BRAIN))).toEqual([NaN, NaN]);
});
