/** @file Arithmetic of int (bigint) and float (number), with Python's signs, errors and rounding. */
import { PythonError, UnsupportedConstruct, typeError } from "./python-error.ts";
import { type Value, typeName } from "./values.ts";

/** A larger int is an attack, not a template. */
const MAX_INT_BITS = 2 ** 16;

export type ArithmeticOp = "+" | "-" | "*" | "/" | "//" | "%" | "**";

/** An int, float or bool as a number; undefined for anything else. */
export function numeric(value: Value): bigint | number | undefined {
  if (typeof value === "boolean") return value ? 1n : 0n;
  return typeof value === "bigint" || typeof value === "number" ? value : undefined;
}

export function calculate(op: ArithmeticOp, a: bigint | number, b: bigint | number): Value {
  if (typeof a === "bigint" && typeof b === "bigint") return ofInts(op, a, b);
  return ofFloats(op, toFloat(a), toFloat(b));
}

/** `float(value)` of an int. Throws where it is too large. */
export function toFloat(value: bigint | number): number {
  const float = Number(value);
  if (typeof value === "bigint" && !Number.isFinite(float)) {
    throw new PythonError("OverflowError", "int too large to convert to float");
  }
  return float;
}

function ofInts(op: ArithmeticOp, a: bigint, b: bigint): Value {
  if (op === "+") return a + b;
  if (op === "-") return a - b;
  if (op === "*") {
    requireSize(bitsOf(a) + bitsOf(b));
    return a * b;
  }
  if (op === "**") {
    if (b < 0n) return ofFloats("**", toFloat(a), toFloat(b));
    requireSize(a * a <= 1n ? 1 : bitsOf(a) * Number(b));
    return a ** b;
  }
  if (b === 0n) throw divisionByZero(op === "/" ? "division by zero" : "integer modulo by zero");
  if (op === "/") return divideInts(a, b);
  const remainder = ((a % b) + b) % b;
  return op === "%" ? remainder : (a - remainder) / b;
}

/** The float next to a / b. */
function divideInts(a: bigint, b: bigint): number {
  const [x, y] = [Number(a), Number(b)];
  if (Number.isSafeInteger(x) && Number.isSafeInteger(y)) return x / y;
  // 66 bits or more of the quotient, the last of which says whether there is a remainder, round as the quotient itself.
  const shift = Math.max(0, 66 + bitsOf(b) - bitsOf(a));
  const scaled = a << BigInt(shift);
  const quotient = scaled / b;
  return Number(scaled % b === 0n ? quotient : quotient | 1n) / 2 ** shift;
}

function ofFloats(op: ArithmeticOp, a: number, b: number): number {
  if (op === "+") return a + b;
  if (op === "-") return a - b;
  if (op === "*") return a * b;
  if (op === "**") return power(a, b);
  if (b === 0) throw divisionByZero(op === "/" ? "float division by zero" : "float modulo");
  if (op === "/") return a / b;
  let remainder = a % b;
  if (remainder !== 0 && remainder < 0 !== b < 0) remainder += b;
  if (op === "%") return remainder === 0 ? (b < 0 ? -0 : 0) : remainder;
  const quotient = (a - remainder) / b;
  const floor = Math.floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}

function power(a: number, b: number): number {
  if (a === 0 && b < 0) throw divisionByZero("0.0 cannot be raised to a negative power");
  if (a < 0 && Number.isFinite(b) && !Number.isInteger(b)) {
    throw new UnsupportedConstruct("it takes a root of a negative number");
  }
  const result = a === 1 ? 1 : a ** b;
  if (!Number.isFinite(result) && Number.isFinite(a) && Number.isFinite(b)) {
    throw new PythonError("OverflowError", "(34, 'Numerical result out of range')");
  }
  return result;
}

function bitsOf(value: bigint): number {
  return (value < 0n ? -value : value).toString(16).length * 4;
}

function requireSize(bits: number): void {
  if (bits > MAX_INT_BITS) {
    throw new UnsupportedConstruct(`it makes a whole number of more than ${MAX_INT_BITS} bits`);
  }
}

function divisionByZero(message: string): PythonError {
  return new PythonError("ZeroDivisionError", message);
}

/** A whole number that Python takes as an index or a count. */
export function toIndex(value: Value, what = "index"): number {
  const number = numeric(value);
  if (typeof number !== "bigint") {
    throw typeError(`'${typeName(value)}' object cannot be interpreted as an integer (${what})`);
  }
  return Number(number);
}

/** `round(value, digits)`: half to even, by the float's exact value. */
export function roundTo(value: bigint | number, digits: number): bigint | number {
  if (typeof value === "bigint") return digits >= 0 ? value : roundInt(value, false, -digits);
  if (!Number.isFinite(value) || digits > 300) return value;
  if (digits < 0) {
    const whole = Math.trunc(value);
    return Number(roundInt(BigInt(whole), whole !== value, -digits));
  }
  return Math.abs(value) >= 2 ** 52 ? value : Number(fixed(value, Math.min(digits, 100)));
}

/** `value` plus a fraction (if `hasMore`) to a multiple of 10 ** digits. */
function roundInt(value: bigint, hasMore: boolean, digits: number): bigint {
  const unit = 10n ** BigInt(Math.min(digits, 400));
  const [sign, size] = value < 0n ? [-1n, -value] : [1n, value];
  const [floor, twice] = [size / unit, (size % unit) * 2n];
  const up = twice > unit || (twice === unit && (hasMore || floor % 2n === 1n));
  return sign * (up ? floor + 1n : floor) * unit;
}

/** The value with this many digits after the point, half to even: toFixed takes the larger one of two that are as near. */
export function fixed(value: number, digits: number): string {
  if (Math.abs(value) >= 1e21)
    return BigInt(value).toString() + (digits > 0 ? `.${"0".repeat(digits)}` : "");
  const text = value.toFixed(digits);
  const exact = value.toFixed(Math.min(100, digits + 40));
  const point = exact.indexOf(".") + 1;
  const isTie = /^50*$/.test(exact.slice(point + digits));
  const lastDigit = Number(text.at(-1));
  if (!isTie || lastDigit % 2 === 0) return text;
  // Cut off instead of rounded up: the other neighbour, which is even.
  const cut = exact.slice(0, point + digits);
  return digits === 0 ? cut.slice(0, -1) : cut;
}
