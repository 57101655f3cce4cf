/** @file Every op. Tests walk this list: an op without a test row fails the suite. */
import { addOp, divideOp, multiplyOp, subtractOp } from "./arithmetic.ts";
import { attentionOp } from "./attention.ts";
import { castOp } from "./cast.ts";
import { andOp, equalOp, lessOp, lessOrEqualOp, orOp } from "./comparison.ts";
import { concatOp } from "./concat.ts";
import { gatherOp } from "./gather.ts";
import { subtractIntegersOp } from "./integer-arithmetic.ts";
import { matMulOp } from "./mat-mul.ts";
import { repeatRowOp } from "./repeat-row.ts";
import { reshapeOp } from "./reshape.ts";
import { rmsNormOp } from "./rms-norm.ts";
import { rotaryOp } from "./rotary.ts";
import { cosineOp, siluOp, sineOp } from "./unary.ts";
import { whereOp } from "./where.ts";

export const OPS = [
  addOp,
  andOp,
  attentionOp,
  castOp,
  concatOp,
  cosineOp,
  divideOp,
  equalOp,
  gatherOp,
  lessOp,
  lessOrEqualOp,
  matMulOp,
  multiplyOp,
  orOp,
  repeatRowOp,
  reshapeOp,
  rmsNormOp,
  rotaryOp,
  siluOp,
  sineOp,
  subtractIntegersOp,
  subtractOp,
  whereOp,
] as const;
