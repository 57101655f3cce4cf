/** @file What the server answers, as schemas: every answer is checked by its own before it is sent, and the OpenAPI file is made of them. */
import { z } from "zod";

import { DECISIONS, decisionSchema, MAX_NOTE } from "../edit/decisions.ts";
import {
  decisionCountsSchema,
  editAgreementSchema,
  reviewedPrecisionSchema,
} from "../edit/review-figures.ts";
import { PAIR_FLAGS, PAIR_SORTS, QUEUE_ORDERS } from "../report/report-source.ts";
import { countSchema } from "../util/artifact.ts";

const number = z.number();
const messages = z
  .array(z.strictObject({ role: z.string(), content: z.string() }))
  .readonly()
  .describe("Turns of a conversation.");

export const pairRow = z
  .strictObject({
    id: z.string(),
    source: z.string().optional(),
    preview: z.string().describe("The beginning of the last turn of the prompt."),
    norm: number.optional().describe("Length of its datapoint vector."),
    flags: z.array(z.enum(PAIR_FLAGS)).readonly(),
    places: z
      .array(
        z.strictObject({
          score: number.optional(),
          rank: countSchema.optional().describe("From 1, the highest score first."),
          percentile: number.optional().describe("Share of the scored pairs below it, in percent."),
          winner: z
            .string()
            .optional()
            .describe(
              "The scenario whose vector decided the score, of methods that take the best.",
            ),
        }),
      )
      .readonly()
      .describe("By every method, in the order of the summary's methods."),
  })
  .meta({ id: "PairRow" });

export const pairList = z
  .strictObject({
    count: countSchema.describe("Pairs that fit the query."),
    start: countSchema,
    rows: z.array(pairRow).readonly(),
    index: z
      .int()
      .optional()
      .describe("Position of the pair `id`, where it was asked for; -1 where it does not fit."),
  })
  .meta({ id: "PairList" });

const correlation = z.strictObject({
  r: number,
  n: countSchema,
  low: number.optional(),
  high: number.optional(),
});

export const pairSummary = z
  .strictObject({
    total: countSchema.describe("Pairs ranked by the run."),
    listed: countSchema,
    selection: z.array(z.string()).readonly(),
    methods: z
      .array(
        z.strictObject({
          label: z.string(),
          formula: z.string(),
          scored: countSchema,
          isBounded: z.boolean(),
        }),
      )
      .readonly(),
    sources: z.array(z.string()).readonly(),
    hasPlanted: z.boolean(),
    agreements: z
      .array(
        z.strictObject({
          between: z.tuple([z.string(), z.string()]).readonly(),
          correlation: correlation.optional(),
          tops: z
            .array(z.strictObject({ k: countSchema, shared: countSchema, expected: number }))
            .readonly(),
        }),
      )
      .readonly(),
    histogram: z
      .strictObject({
        edges: z.array(number).readonly(),
        counts: z.array(countSchema).readonly(),
      })
      .optional(),
  })
  .meta({ id: "PairSummary" });

export const partAnswer = z
  .union([z.record(z.string(), z.unknown()), z.array(z.unknown())])
  .readonly()
  .describe(
    "Its members are those of the files that the run's stages wrote, cut and joined for the page.",
  )
  .meta({ id: "Part" });

const near = z
  .array(z.strictObject({ id: z.string(), cosine: number }))
  .readonly()
  .optional();

const tokenSide = z.strictObject({
  text: z.string().describe("The texts of all tokens, one behind the other."),
  lengths: z.array(countSchema).readonly().describe("Characters of each token in the text."),
  shares: z
    .array(number)
    .readonly()
    .describe("What each adds to the score, in thousandths of the largest share."),
});

const tokenShares = z.strictObject({
  method: z.string(),
  chosen: tokenSide,
  rejected: tokenSide,
  sum: number,
  largest: number,
});

export const tokensAnswer = z
  .union([
    z.strictObject({ tokens: tokenShares }),
    z.strictObject({ absent: z.string().describe("Why there are none.") }),
  ])
  .meta({ id: "TokenShares" });

export const pairDetail = z
  .strictObject({
    id: z.string(),
    file: z.string(),
    fileRow: countSchema.describe("From 0."),
    prompt: messages,
    chosen: messages,
    rejected: messages,
    cut: countSchema.describe("Characters that were cut from the ends of long turns."),
    beside: z
      .array(z.string())
      .readonly()
      .optional()
      .describe("What the pair says besides roles and texts, which is not shown."),
    columns: z.record(z.string(), z.union([z.string(), number, z.boolean(), z.null()])),
    samePrompt: z.strictObject({ count: countSchema, ids: z.array(z.string()).readonly() }),
    repeats: z
      .string()
      .optional()
      .describe("The first of the other pairs that say the same: prompt, chosen and rejected."),
    nearestPairs: near,
    nearestScenarios: near,
    tokens: tokenShares.optional(),
  })
  .meta({ id: "Pair" });

const cost = z.strictObject({
  seconds: number,
  tokens: number,
  money: number.optional().describe("Where prices are known."),
});

export const runProgress = z
  .strictObject({
    name: z.string(),
    state: z.enum(["waiting", "running", "stopped", "done"]),
    version: z.string().describe("Another one whenever there is more to show."),
    stages: z
      .array(
        z.strictObject({
          id: z.string(),
          state: z.enum(["done", "running", "interrupted", "failed", "missing"]),
          isCached: z.boolean(),
          cost: cost.optional(),
          done: number.optional(),
          total: number.optional(),
          unit: z.string().optional(),
          rate: number.optional().describe("Units a second."),
          failure: z.string().optional(),
        }),
      )
      .readonly(),
    total: cost,
    currency: z.string(),
    secondsLeft: number.optional().describe("Of the stage at work."),
  })
  .meta({ id: "RunProgress" });

/** What a table of pairs is asked for, as words of an address. */
export const pairQuery = z.strictObject({
  method: z.coerce
    .number()
    .int()
    .min(0)
    .default(0)
    .describe("Whose scores are filtered and sorted by: a position in the summary's methods."),
  search: z
    .string()
    .optional()
    .describe("Words that all occur in the id, the source or the beginning of the prompt."),
  source: z.string().optional(),
  ids: z.string().optional().describe("The ids of these pairs alone, a line each."),
  flag: z.enum(PAIR_FLAGS).optional(),
  min: z.coerce.number().optional().describe("Lowest score."),
  max: z.coerce.number().optional().describe("Highest score."),
  sort: z.enum(PAIR_SORTS).default("rank"),
  descending: z.enum(["true", "false"]).default("false"),
  start: z.coerce.number().int().min(0).default(0).describe("Position of the first row."),
  end: z.coerce
    .number()
    .int()
    .min(0)
    .default(100)
    .describe("Position behind the last row; 500 rows at most."),
  id: z.string().optional().describe("A pair whose position in the list is wanted too."),
});

export const reviewSummary = z
  .strictObject({
    file: z.string().describe("Name of the file that the decisions are in."),
    torn: countSchema.describe("Bytes of a line that a crash cut off."),
    counts: decisionCountsSchema,
    queues: z.array(z.strictObject({ name: z.string(), pairs: countSchema })).readonly(),
    agreements: z
      .array(editAgreementSchema.extend({ edit: z.string() }))
      .readonly()
      .describe("Beside each automatic edit of the run."),
    precision: z.array(reviewedPrecisionSchema).readonly().describe("Of the first ranking."),
  })
  .meta({ id: "ReviewSummary" });

export const queueQuery = z.strictObject({
  name: z.string().default("top").describe("top, or the arm of an automatic edit."),
  k: z.coerce.number().int().min(1).max(100_000).default(100).describe("Of top: so many pairs."),
  order: z
    .enum(QUEUE_ORDERS)
    .default("rank")
    .describe("random: an order of which any beginning is a random sample."),
  at: z.coerce.number().int().min(0).default(0).describe("Position in the queue."),
});

export const queuePlace = z
  .strictObject({
    count: countSchema,
    decided: countSchema,
    open: z.int().describe("The first from `at` on that is not decided; -1 where all are."),
    decision: decisionSchema.optional(),
  })
  .meta({ id: "QueuePlace" });

/** What is sent to decide a pair. */
export const decisionBody = z.strictObject({
  id: z.string(),
  decision: z.enum(DECISIONS).nullable().describe("null takes a decision back."),
  note: z.string().max(MAX_NOTE).default(""),
});

export const decided = z
  .strictObject({ decision: decisionSchema, before: decisionSchema })
  .meta({ id: "Decided" });
