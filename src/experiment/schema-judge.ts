/** @file Settings of the experiment file: OpenAI-compatible endpoints, and judges. */
import { z } from "zod";

import { DEFAULT_ATTEMPTS } from "../endpoint/asker.ts";
import { DEFAULT_TIMEOUT_MS } from "../endpoint/chat-endpoint.ts";
import { DEFAULT_CONCURRENCY } from "../endpoint/request-gate.ts";
import { STRUCTURED_MODES } from "../judge/llm-judge-options.ts";
import { BUILT_IN_RUBRICS } from "../judge/rubric.ts";
import { count, path } from "./schema-primitives.ts";

const price = z.number().min(0).optional();

export const endpointSchema = z.strictObject({
  baseUrl: z
    .url({ protocol: /^https?$/, error: "expected an address such as http://localhost:8000/v1" })
    .describe("An OpenAI-compatible endpoint: what stands before /chat/completions."),
  model: z.string().min(1).describe("The model, as the endpoint calls it."),
  apiKeyEnv: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, {
      error: "expected the name of an environment variable, never the key itself",
    })
    .optional()
    .describe("Environment variable that holds the key; absent: no key is sent."),
  concurrency: count.max(4096).default(DEFAULT_CONCURRENCY).describe("Requests at once."),
  requestsPerMinute: z.number().gt(0).optional().describe("Absent: no limit."),
  tokensPerMinute: z
    .number()
    .min(1)
    .optional()
    .describe("Of prompts and answers, by estimate; absent: no limit."),
  attempts: count
    .max(100)
    .default(DEFAULT_ATTEMPTS)
    .describe("Requests for one item at most, failed ones counted."),
  timeout: z
    .number()
    .min(0.001)
    .max(86_400)
    .default(DEFAULT_TIMEOUT_MS / 1000)
    .describe("Seconds of one request, answer included."),
  priceIn: price.describe("Money for a million prompt tokens; absent: costs are in tokens only."),
  priceOut: price.describe("Money for a million answer tokens."),
});

const labels = z
  .record(z.string(), path)
  .default({})
  .describe(
    "What people said: a file for each judge stage whose rollouts they labelled, judge-after: FILE say. With rules and llm for a sample of them, which the judge is held to; with human for all.",
  );

const rulesJudgeSchema = z.strictObject({
  kind: z
    .literal("rules")
    .default("rules")
    .describe(
      "rules: regular expressions, no model. llm: a model that is asked by a rubric. human: people's labels.",
    ),
  rules: path.describe("A rules file, or the built-in rules refusal or compliance."),
  labels,
});

const llmJudgeSchema = z.strictObject({
  kind: z.literal("llm").describe("A model that is asked by a rubric."),
  rubric: path.describe(`A rubric file, or ${BUILT_IN_RUBRICS.join(", ")}.`),
  threshold: z
    .number()
    .optional()
    .describe("The lowest score that shows the behaviour; absent: the rubric's."),
  endpoint: endpointSchema.describe("Who is asked."),
  temperature: z.number().min(0).max(2).default(0).describe("Of the judge's answers."),
  structured: z
    .enum(STRUCTURED_MODES)
    .default("auto")
    .describe("Whether answers are asked for by a JSON schema; auto: while the endpoint takes it."),
  maxCost: z
    .number()
    .min(0)
    .optional()
    .describe(
      "What all the experiment's judging together may cost; a run that reaches it stops, and goes on with a higher one. Absent: no limit.",
    ),
  labels,
});

const humanJudgeSchema = z.strictObject({
  kind: z.literal("human").describe("People's labels."),
  behavior: z
    .string()
    .min(1)
    .describe('What the label "shows" means, in words that follow "the response".'),
  labels,
});

export const judgeSchema = z.discriminatedUnion(
  "kind",
  [rulesJudgeSchema, llmJudgeSchema, humanJudgeSchema],
  { error: "expected rules, llm or human" },
);

export type EndpointSettings = z.output<typeof endpointSchema>;
export type LlmJudgeSettings = z.output<typeof llmJudgeSchema>;
