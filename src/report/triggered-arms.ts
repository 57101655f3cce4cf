import type { ArmRate, Evaluation } from "../rates/evaluation.ts";

/** What every arm does in the variant that arms are compared by; none where it was not measured. */
export const triggeredArms = (
  evaluation: Evaluation | undefined,
  trigger: string | undefined,
): readonly ArmRate[] =>
  evaluation?.variants.find(({ variant }) => variant === trigger)?.arms ?? [];
