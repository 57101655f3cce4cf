import { z } from "zod";

/** Of methods with DPO's implicit rewards. */
export const betaSetting = z
  .number()
  .min(1e-6)
  .max(1e6)
  .default(0.1)
  .describe(
    "Of methods with implicit rewards (implicit-reward, loss-diff): β, that of the training for rewards in its unit.",
  );
