/**
 * @file Rotary position embedding: the inverse frequencies of every scaling in use.
 *
 * Formulas: Su et al. 2021 (default), position interpolation (linear), NTK-aware scaling recomputed with the length (dynamic),
 * YaRN (Peng et al. 2023, sections 3.2-3.4), Llama 3.1's piecewise rule, and LongRoPE (Ding et al. 2024) with its two lists of factors. Values agree with transformers to float32.
 */
/** How positions become angles. */
export type RopeScaling = { readonly theta: number } & (
  | { readonly kind: "default" }
  | { readonly kind: "linear"; readonly factor: number }
  /** Depends on the length of the whole sequence once that passes `maxPositions`. */
  | { readonly kind: "dynamic"; readonly factor: number; readonly maxPositions: number }
  | {
      readonly kind: "yarn";
      readonly factor: number;
      readonly originalMaxPositions: number;
      /** Multiplies cos and sin. */
      readonly attentionFactor: number;
      readonly betaFast: number;
      readonly betaSlow: number;
      readonly isTruncated: boolean;
    }
  | {
      readonly kind: "llama3";
      readonly factor: number;
      readonly lowFrequencyFactor: number;
      readonly highFrequencyFactor: number;
      readonly originalMaxPositions: number;
    }
  /** One list of factors for sequences up to `originalMaxPositions`, another for longer ones; both [r / 2]. */
  | {
      readonly kind: "longrope";
      readonly shortFactors: readonly number[];
      readonly longFactors: readonly number[];
      readonly originalMaxPositions: number;
      /** Multiplies cos and sin. */
      readonly attentionFactor: number;
    }
);

/**
 * Inverse frequencies [r / 2] for r rotated numbers of a head in a sequence of `sequenceLength` tokens; see dependsOnLength.
 * Computed in float64 and rounded once.
 */
export function inverseFrequencies(
  scaling: RopeScaling,
  rotaryDim: number,
  sequenceLength: number,
): Float32Array {
  const plain = (theta: number): number[] =>
    Array.from({ length: rotaryDim / 2 }, (_, i) => theta ** (-(2 * i) / rotaryDim));
  switch (scaling.kind) {
    case "default":
      return Float32Array.from(plain(scaling.theta));
    case "linear":
      return Float32Array.from(plain(scaling.theta), (each) => each / scaling.factor);
    case "dynamic": {
      const { factor, maxPositions, theta } = scaling;
      const length = Math.max(sequenceLength, maxPositions);
      const stretch = (factor * length) / maxPositions - (factor - 1);
      return Float32Array.from(plain(theta * stretch ** (rotaryDim / (rotaryDim - 2))));
    }
    case "yarn":
      return yarnFrequencies(scaling, rotaryDim, plain(scaling.theta));
    case "llama3":
      return llama3Frequencies(scaling, plain(scaling.theta));
    case "longrope": {
      const { shortFactors, longFactors, originalMaxPositions, theta } = scaling;
      const factors = sequenceLength > originalMaxPositions ? longFactors : shortFactors;
      if (factors.length !== rotaryDim / 2) {
        throw new Error(`internal: ${factors.length} factors for ${rotaryDim / 2} frequencies`);
      }
      return Float32Array.from(plain(theta), (each, i) => each / factors[i]!);
    }
  }
}

/** What cos and sin are multiplied by; 1 for every scaling but YaRN and LongRoPE. */
export function rotaryAttentionFactor(scaling: RopeScaling): number {
  return scaling.kind === "yarn" || scaling.kind === "longrope" ? scaling.attentionFactor : 1;
}

/** Whether the frequencies of a sequence depend on how long it is. */
export const dependsOnLength = ({ kind }: RopeScaling): boolean =>
  kind === "dynamic" || kind === "longrope";

/** Whether two sequences of these lengths get the same angles, so that they may share their prompt's keys. */
export function sharesAngles(scaling: RopeScaling, lengthA: number, lengthB: number): boolean {
  if (lengthA === lengthB) return true;
  const [shorter, longer] = [Math.min(lengthA, lengthB), Math.max(lengthA, lengthB)];
  switch (scaling.kind) {
    case "dynamic":
      return longer <= scaling.maxPositions;
    case "longrope":
      return longer <= scaling.originalMaxPositions || shorter > scaling.originalMaxPositions;
    case "default":
    case "linear":
    case "yarn":
    case "llama3":
      return true;
  }
}

/** Whether a sequence that grows to `length` tokens gets other angles for all of them: its keys must then be made anew. */
export const startsOver = (scaling: RopeScaling, length: number): boolean =>
  scaling.kind === "longrope" && length === scaling.originalMaxPositions + 1;

function yarnFrequencies(
  scaling: Extract<RopeScaling, { kind: "yarn" }>,
  rotaryDim: number,
  plain: readonly number[],
): Float32Array {
  // The component whose wave turns `rotations` times within the original context.
  const correctionDim = (rotations: number): number =>
    (rotaryDim * Math.log(scaling.originalMaxPositions / (rotations * 2 * Math.PI))) /
    (2 * Math.log(scaling.theta));
  const fast = correctionDim(scaling.betaFast);
  const slow = correctionDim(scaling.betaSlow);
  const low = Math.max(scaling.isTruncated ? Math.floor(fast) : fast, 0);
  const top = Math.min(scaling.isTruncated ? Math.ceil(slow) : slow, rotaryDim - 1);
  const high = low === top ? top + 0.001 : top; // keeps the ramp's slope finite
  return Float32Array.from(plain, (frequency, i) => {
    const ramp = Math.min(1, Math.max(0, (i - low) / (high - low)));
    // Fast waves keep their frequency, slow ones are interpolated.
    return frequency * (1 - ramp) + (frequency / scaling.factor) * ramp;
  });
}

function llama3Frequencies(
  scaling: Extract<RopeScaling, { kind: "llama3" }>,
  plain: readonly number[],
): Float32Array {
  const { factor, lowFrequencyFactor, highFrequencyFactor, originalMaxPositions } = scaling;
  return Float32Array.from(plain, (frequency) => {
    const turns = (originalMaxPositions * frequency) / (2 * Math.PI);
    if (turns > highFrequencyFactor) return frequency;
    if (turns < lowFrequencyFactor) return frequency / factor;
    const smooth = (turns - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
    return (1 - smooth) * (frequency / factor) + smooth * frequency;
  });
}
