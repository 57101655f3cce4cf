import { z } from "zod";

import { STRUCTURED_MODES } from "../../judge/llm-judge-options.ts";
import { nonNegative } from "../../util/setting-kinds.ts";
import { endpointSettings } from "./endpoint.ts";

/** How an LLM is asked to judge. Which rules or rubric is an input. */
export const judgingSettings = z.strictObject({
  endpoint: endpointSettings
    .optional()
    .describe("Who is asked by a rubric. Absent: nobody, rules judge."),
  temperature: nonNegative.max(2).default(0).describe("Of the judge's answers."),
  structured: z.enum(STRUCTURED_MODES).default("auto").meta({
    description:
      "Whether answers are asked for by a JSON schema; auto: while the endpoint takes it.",
    counts: false,
  }),
  threshold: z
    .number()
    .optional()
    .describe("The lowest score that shows the behaviour. Absent: the rubric's."),
  maxCost: nonNegative.optional().meta({
    description:
      "What all answers that are kept together may cost; what it does not reach is missing, and a higher one goes on. Absent: no limit.",
    counts: false,
  }),
});
export type JudgingSettings = z.output<typeof judgingSettings>;
