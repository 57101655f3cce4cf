/**
 * Steering: a change of the residual stream at layer ℓ (after ℓ blocks; 0: the embedding output, n: after the last block, before the
 * final norm) at every position that a token is sampled from: the prompt's last one, hence for the first sampled token too, and every
 * sampled one. Earlier positions of the prompt are left as they are.
 */
export type Steering =
  | {
      /** x + strength·direction. */
      readonly kind: "add";
      /** In [0, n]. */
      readonly layer: number;
      /** [D], not zero; not normalised. */
      readonly direction: Float32Array;
      /** In lengths of the direction; any finite number, 0 changes nothing. */
      readonly strength: number;
    }
  | {
      /** x − (x·v̂)v̂, v̂ = direction/‖direction‖. */
      readonly kind: "project-out";
      /** In [0, n]. */
      readonly layer: number;
      /** [D], not zero. */
      readonly direction: Float32Array;
    };
