/** @file How verbs that tokenise responses read them. */
import { z } from "zod";

import { BOUNDARIES } from "../../model/prompt-renderer.ts";

export const tokenSettings = z.strictObject({
  boundary: z
    .enum(BOUNDARIES)
    .default("tokens")
    .describe(
      "tokens: a response begins behind the tokens that its prompt and the whole conversation share, as in TRL. text: the rendered text is cut and both parts are tokenised apart.",
    ),
  ignoreUnread: z
    .boolean()
    .default(false)
    .describe(
      "Takes rows that say what shape or template do not show (tools, reasoning, images beside the text, …) without it, instead of counting them as unusable.",
    ),
});
