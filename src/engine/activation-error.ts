import { RuntimeError } from "../util/errors.ts";

/** An activation is NaN or infinite; carries where, so that callers can name the pair. */
export class ActivationError extends RuntimeError {
  /** Lowest layer asked for that shows it. */
  readonly layer: number;
  /** Index into the examples given to `embed`. */
  readonly example: number;

  constructor(layer: number, example: number) {
    super(`layer ${layer}: the activation of example ${example} is not finite`, {
      hint: "Check the checkpoint's weights (an overflow in training or conversion gives such values).",
    });
    this.layer = layer;
    this.example = example;
  }
}
