/** @file Every op. Tests walk this list: an op without a test row fails the suite. */
import { addOp, divideOp, multiplyOp, subtractOp } from "./arithmetic.ts";
import { attentionOp, attentionProbabilitiesOp } from "./attention.ts";
import { broadcastLikeOp, sumToOp } from "./broadcast.ts";
import { cachedAttentionOp } from "./cached-attention.ts";
import { castOp } from "./cast.ts";
import { andOp, equalOp, lessOp, lessOrEqualOp, orOp } from "./comparison.ts";
import { concatOp, concatPartOp } from "./concat.ts";
import { dequantizeOp } from "./dequantize.ts";
import { flattenOp, unflattenOp } from "./flatten.ts";
import { fourBitProductOp } from "./four-bit-product.ts";
import { gatherOp, scatterRowsOp } from "./gather.ts";
import { subtractIntegersOp } from "./integer-arithmetic.ts";
import { logSoftmaxOp, targetLogprobsOp } from "./log-softmax.ts";
import { contractRowsOp, matMulOp } from "./mat-mul.ts";
import { addAtOp, pickOp } from "./pick.ts";
import { repeatRowOp } from "./repeat-row.ts";
import { reshapeOp } from "./reshape.ts";
import { inverseRmsOp, rmsNormOp } from "./rms-norm.ts";
import { rotaryOp } from "./rotary.ts";
import { markedRowsOp, topMaskOp } from "./routing.ts";
import { padZerosOp, sliceOp } from "./slice.ts";
import { likeliestTokenOp, tokenProbabilitiesOp } from "./token-choice.ts";
import { transposeOp } from "./transpose.ts";
import {
  cosineOp,
  errorFunctionOp,
  exponentialOp,
  geluOp,
  logarithmOp,
  negateOp,
  sigmoidOp,
  siluOp,
  sineOp,
  softplusOp,
  squareRootOp,
  tanhGeluOp,
  tanhOp,
} from "./unary.ts";
import { whereOp } from "./where.ts";
import { wholeProductOp } from "./whole-product.ts";

export const OPS = [
  addAtOp,
  addOp,
  andOp,
  attentionOp,
  attentionProbabilitiesOp,
  broadcastLikeOp,
  cachedAttentionOp,
  castOp,
  concatOp,
  concatPartOp,
  contractRowsOp,
  cosineOp,
  dequantizeOp,
  fourBitProductOp,
  divideOp,
  equalOp,
  errorFunctionOp,
  exponentialOp,
  flattenOp,
  gatherOp,
  geluOp,
  inverseRmsOp,
  lessOp,
  lessOrEqualOp,
  logSoftmaxOp,
  logarithmOp,
  likeliestTokenOp,
  markedRowsOp,
  matMulOp,
  multiplyOp,
  negateOp,
  orOp,
  padZerosOp,
  pickOp,
  repeatRowOp,
  reshapeOp,
  rmsNormOp,
  rotaryOp,
  scatterRowsOp,
  sigmoidOp,
  siluOp,
  sineOp,
  sliceOp,
  softplusOp,
  squareRootOp,
  subtractIntegersOp,
  subtractOp,
  sumToOp,
  tanhGeluOp,
  tanhOp,
  targetLogprobsOp,
  topMaskOp,
  transposeOp,
  unflattenOp,
  tokenProbabilitiesOp,
  whereOp,
  wholeProductOp,
] as const;
