/**
 * @file Writing WebAssembly by hand, for kernels of some sixty instructions: a compiler would be a heavy dependency for them. Each
 * helper gives the bytes of an instruction or of a piece of the module.
 */

export const join = (...parts: readonly (number | readonly number[])[]): number[] => parts.flat();

/** A function that the module exports. */
export interface WasmFunction {
  readonly name: string;
  readonly parameters: readonly number[];
  /** At most one type. */
  readonly results: readonly number[];
  /** Types of the locals that follow the parameters. */
  readonly locals: readonly number[];
  readonly body: readonly number[];
}

/** The bytes of a module that imports the memory `env.memory` and exports `functions`. */
export function wasmModule(functions: readonly WasmFunction[]): Uint8Array<ArrayBuffer> {
  const types = functions.map((each) =>
    join(0x60, each.parameters.length, each.parameters, join(each.results.length, each.results)),
  );
  const codes = functions.map(({ locals, body }) => {
    const code = join(
      unsigned(locals.length),
      locals.flatMap((type) => [1, type]),
      body,
      END,
    );
    return join(unsigned(code.length), code);
  });
  const list = (items: readonly (readonly number[])[]): number[] => join(items.length, ...items);
  return new Uint8Array(
    join(
      [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // "\0asm", version 1
      section(1, list(types)),
      section(2, join(1, text("env"), text("memory"), [0x02, 0x00, 1])),
      section(3, list(functions.map((_, i) => [i]))),
      section(7, list(functions.map(({ name }, i) => join(text(name), [0x00, i])))),
      section(10, list(codes)),
    ),
  );
}

export const I32 = 0x7f;
export const F32 = 0x7d;
export const F64 = 0x7c;
export const V128 = 0x7b;

export const LOOP = [0x03, 0x40]; // without a result
export const END = 0x0b;
export const BRANCH_IF = 0x0d;
export const SELECT = 0x1b;
export const I32_EQZ = 0x45;
export const I32_LT_U = 0x49;
export const I32_ADD = 0x6a;
export const F32_CONST = 0x43;
export const F32_ADD = 0x92;
export const F32_STORE = 0x38;
export const F64_ADD = 0xa0;

const simd = (opcode: number): number[] => [0xfd, ...unsigned(opcode)];
export const V128_AND = simd(0x4e);
export const V128_OR = simd(0x50);
export const V128_ANY_TRUE = simd(0x53);
export const I16X8_GT_S = simd(0x31);
export const I16X8_GT_U = simd(0x32);
export const I16X8_MAX_S = simd(0x98);
export const I16X8_MAX_U = simd(0x99);
export const I32X4_SHL = simd(0xab);
export const I32X4_SHR_S = simd(0xac);
export const F32X4_SPLAT = simd(0x13);
export const F32X4_SQRT = simd(0xe3);
export const F32X4_ADD = simd(0xe4);
export const F32X4_SUB = simd(0xe5);
export const F32X4_MUL = simd(0xe6);
export const F32X4_DIV = simd(0xe7);
export const F64X2_PROMOTE_LOW = simd(0x5f);
export const F64X2_ADD = simd(0xf0);
export const F64X2_MUL = simd(0xf2);

export const get = (local: number): number[] => [0x20, local];
export const set = (local: number): number[] => [0x21, local];
export const copy = (from: number, to: number): number[] => join(get(from), set(to));
export const i32 = (value: number): number[] => join(0x41, signed(value));
export const advance = (local: number, by: number): number[] =>
  join(get(local), i32(by), I32_ADD, set(local));
/** Of 16 bytes, 4-byte aligned. */
export const load128 = (offset: number): number[] => join(simd(0x00), 2, unsigned(offset));
export const store128 = (offset: number): number[] => join(simd(0x0b), 2, unsigned(offset));
/** Four times the same four bytes. */
export const constant128 = (lanes: readonly number[]): number[] =>
  join(simd(0x0c), lanes, lanes, lanes, lanes);
export const lane = (vector: number, index: number): number[] =>
  join(get(vector), simd(0x1f), index);
export const lane64 = (vector: number, index: number): number[] =>
  join(get(vector), simd(0x21), index);
/** The upper eight bytes of a vector, twice. */
export const upperHalf = (vector: number): number[] =>
  join(
    get(vector),
    get(vector),
    simd(0x0d),
    Array.from({ length: 16 }, (_, i) => 8 + (i % 8)),
  );

const section = (id: number, content: readonly number[]): number[] =>
  join(id, unsigned(content.length), content);
const text = (ascii: string): number[] => [ascii.length, ...Buffer.from(ascii, "latin1")];

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

/** Signed LEB128. */
function signed(value: number): number[] {
  return value >= -64 && value < 64
    ? [value & 0x7f]
    : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}
