import { z } from "zod";

import type { LackingSetting } from "./method.ts";

/** What the behaviour is, in words; of methods that cannot do without. */
export const descriptionSetting = z
  .string()
  .min(1)
  .optional()
  .describe(
    "Of methods that read what the behaviour is in words: lls takes the sentence as a system prompt, judge asks about it. There is no default.",
  );

/** Says that it is lacking. */
export const lacksDescription =
  (method: string) =>
  ({ description }: { readonly description?: string | undefined }): LackingSetting | undefined =>
    description === undefined
      ? {
          setting: "description",
          message: `expected a sentence that describes the behaviour, which the method ${method} needs, got none`,
        }
      : undefined;
