/** @file What can be asked of the server: each route once, with the schemas of what it takes and gives. */
import { z } from "zod";

import { PARTS } from "../report/parts/index.ts";
import type { Redact } from "../report/redact.ts";
import type { RunSource } from "../report/serve/run-source.ts";
import { RESULT } from "../runs/result.ts";
import type { PlainInput } from "../util/artifact.ts";
import { ConfigError } from "../util/errors.ts";
import {
  decided,
  decisionBody,
  pairDetail,
  pairList,
  pairQuery,
  pairSummary,
  partAnswer,
  queuePlace,
  queueQuery,
  reviewSummary,
  runProgress,
  tokensAnswer,
} from "./answers.ts";

/** Rows of one answer, at most. */
const MOST_ROWS = 500;

/** One question and its answer. `run` gives undefined where there is nothing of it (yet): 404. */
export interface Route<Q extends z.ZodObject = z.ZodObject, A extends z.ZodType = z.ZodType> {
  readonly path: string;
  /** POST: `query` is the body, as JSON. */
  readonly method: "GET" | "POST";
  readonly summary: string;
  /** Of a GET behind the question mark of the address. */
  readonly query: Q;
  readonly answer: A;
  /** What is there where the answer is 404. */
  readonly absent: string;
  run(source: RunSource, query: z.output<Q>, redact: Redact): Promise<PlainInput<A> | undefined>;
}

function defineRoute<Q extends z.ZodObject, A extends z.ZodType>(route: Route<Q, A>): Route {
  return route; // called with what its own query gave
}

const nothing = z.strictObject({});
const onePair = z.strictObject({ id: z.string().describe("Of the pair.") });
const noPair = "no pair of this id, or its text is not here";

/** The source that is shown as this: one that is a path is shown by its last part. */
async function unredacted(
  shown: string | undefined,
  source: RunSource,
  redact: Redact,
): Promise<string | undefined> {
  if (shown === undefined) return undefined;
  const { sources = [] } = (await source.pairSummary()) ?? {};
  return sources[redact(sources).indexOf(shown)] ?? shown;
}

/** Throws ConfigError where the ranking has no such method. */
function expectMethod(method: number, methods: readonly { readonly label: string }[]): void {
  if (method < methods.length) return;
  const named = methods.map(({ label }, i) => `${i} (${label})`).join(", ");
  throw new ConfigError(`method: expected one of ${named}, got ${method}`);
}

/** Every route, in the order of the OpenAPI file. */
export const ROUTES: readonly Route[] = [
  defineRoute({
    path: "/api/progress",
    method: "GET",
    summary: "How far the run is: stages, rates, costs so far",
    query: nothing,
    answer: runProgress,
    absent: "no run",
    run: (source) => source.progress(),
  }),
  defineRoute({
    path: "/api/result",
    method: "GET",
    summary: "What the run found: its result.json",
    query: nothing,
    answer: RESULT.schema.meta({ id: "Result" }),
    absent: "the run has not ended",
    run: (source) => source.result(),
  }),
  defineRoute({
    path: "/api/summary",
    method: "GET",
    summary: "What the ranking has: methods, sources, a histogram of the scores",
    query: nothing,
    answer: pairSummary,
    absent: "nothing was ranked yet",
    run: (source) => source.pairSummary(),
  }),
  defineRoute({
    path: "/api/pairs",
    method: "GET",
    summary: "A page of the ranking",
    query: pairQuery,
    answer: pairList,
    absent: "nothing was ranked yet",
    run: async (source, { start, end, id, descending, ...query }, redact) => {
      const summary = await source.pairSummary();
      if (summary === undefined) return undefined;
      expectMethod(query.method, summary.methods);
      const list = await source.pairs({
        ...query,
        source: await unredacted(query.source, source, redact),
        isDescending: descending === "true",
      });
      const last = Math.min(end, start + MOST_ROWS, list.count);
      return {
        count: list.count,
        start,
        rows: start < last ? await list.rows(start, last) : [],
        index: id === undefined ? undefined : await list.indexOf(id),
      };
    },
  }),
  defineRoute({
    path: "/api/pair",
    method: "GET",
    summary: "One pair with its text and what lies near it",
    query: onePair,
    answer: pairDetail,
    absent: noPair,
    run: (source, { id }) => source.pair(id),
  }),
  defineRoute({
    path: "/api/tokens",
    method: "GET",
    summary: "What each token of a pair adds to its score; runs the checkpoint before",
    query: onePair,
    answer: tokensAnswer,
    absent: noPair,
    run: (source, { id }) => source.tokens(id),
  }),
  defineRoute({
    path: "/api/part",
    method: "GET",
    summary:
      "A part of the report as the page reads it; its members follow the files of the stages",
    query: z.strictObject({ name: z.enum(PARTS.map(({ name }) => name)) }),
    answer: partAnswer,
    absent: "the run has nothing of it yet",
    run: (source, { name }) => source.part(name),
  }),
  defineRoute({
    path: "/api/review",
    method: "GET",
    summary: "What people decided of single pairs so far, and what it says of ranking and edits",
    query: nothing,
    answer: reviewSummary,
    absent: "nothing was ranked yet",
    run: (source) => source.review.summary(),
  }),
  defineRoute({
    path: "/api/queue",
    method: "GET",
    summary: "A place in a queue of pairs to review",
    query: queueQuery,
    answer: queuePlace,
    absent: "no such queue",
    run: (source, query) => source.review.queue(query),
  }),
  defineRoute({
    path: "/api/decision",
    method: "POST",
    summary: "Decides a pair; when this is answered the decision is on the disk",
    query: decisionBody,
    answer: decided,
    absent: "nothing was ranked yet",
    run: async (source, decision) => (await source.pairSummary()) && source.review.decide(decision),
  }),
];
