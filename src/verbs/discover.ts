import { z } from "zod";

import { LINKAGES } from "../clustering/linkage.ts";
import { discover as discoverClusters, expectClusters } from "../discovery/discover.ts";
import { type Discovery, DISCOVERY } from "../discovery/discovery-file.ts";
import { LEAN_SHARE } from "../discovery/lean.ts";
import { nameClusters } from "../discovery/name-clusters.ts";
import {
  joinResponses,
  pairResponses,
  type PromptResponses,
} from "../discovery/prompt-responses.ts";
import { requireStoreSpace } from "../discovery/require-store-space.ts";
import { readStates } from "../discovery/response-states.ts";
import { chooseSampleSize, MATRIX_PAIRS, TEST_PAIRS } from "../discovery/sample-size.ts";
import { MIN_VARIATION_PROMPTS } from "../discovery/variation-null.ts";
import { answererName } from "../endpoint/answer-key.ts";
import { RESPONSES, writeResponsePairs } from "../pairs/response-pairs.ts";
import { readRollouts } from "../rollouts/rollouts.ts";
import { ConfigError, CulpritError } from "../util/errors.ts";
import { count, maxTokens, positive, seed, whole } from "../util/setting-kinds.ts";
import { linesOf, printable } from "../util/text-table.ts";
import { checkpointInput } from "./inputs/checkpoint.ts";
import { rolloutsInput, storeInput, warnOfMixedVectors } from "./inputs/files.ts";
import { expectSampledBefore, warnOfSameRollouts } from "./inputs/same-checkpoint.ts";
import { type Asking, openAsking, priceContradictions } from "./judging/open-asker.ts";
import { answersOutput, resultOutput } from "./outputs.ts";
import { by, layers, resolveLayers } from "./settings/common.ts";
import { type AskedEndpoint, fewQuestionsSettings } from "./settings/endpoint.ts";
import { formatDiscovery } from "./show/discovery.ts";
import { defineVerb, need, type Work } from "./verb.ts";

/** Null directions cost a column of products each, for every size of cluster. */
const MAX_DRAWS = 100_000;
/** Pairs that are clustered: a square matrix of doubles is held, three times. */
const MAX_MATRIX_PAIRS = 5000;
/** Vectors of these are held over all layers, so that fewer may be all that fits; see chooseSampleSize. */
const MAX_TEST_PAIRS = 50_000;
/** Each takes a column of all pairs. */
const MAX_CLUSTERS = 60;

export const discover = defineVerb({
  name: "discover",
  summary:
    "What training changed, without being told what to look for: clusters of prompts and pairs",
  about: `
STORE is the folder that culprit embed wrote; --before and --after are rollouts of both checkpoints on the same prompts, two
or more samples each, whatever you want to look for changes in. No verdicts are needed. Activations are read on --checkpoint,
the one before training (M0), at layers of the store; of several layers each counts the same.

A prompt's behaviour vector is the mean over M1's responses minus that over M0's. Prompts are clustered by their vectors (Ward
or average linkage), chosen by the samples of even number; the number of clusters is the one with the largest mean silhouette.
Pairs are clustered by their cosines with all prompts: a sample as a tree, all others by the nearest centre.

Printed for each cluster of prompts:
  prompts      how many, and how many different requests where these are fewer
  stability    mean largest Jaccard index in bootstrap samples of the prompts (Hennig): below 0.6 do not trust it, from
               0.75 on it is stable
  lean         mean cosine with the cluster's direction of the pairs that lie closest to it, on either side (concentrated), or
               of all (diffuse), whichever is the clearer: above 0 they teach it, below the opposite
  p            how often a direction in which M0's own samples differ leans as far, times two for the two leans; the cluster's
               direction is that of the samples of odd number, which did not choose it
  Holm         the same for all clusters together: a cluster passes below --alpha, with one sign in both halves of the data
  terms        words that responses have more of after training (class-based TF-IDF), and less of
then the sources by their mean cosine with 95% intervals, typical prompts, and the pairs at the top.

With --base-url and --model an LLM names the clusters: it sees their terms and typical prompts with responses. Every answer
is kept beside --out before it counts. Without, their terms name them.

--make-behavior CLUSTER with --responses FILE writes the cluster's response pairs, for culprit behavior.

  culprit discover vectors/ --before rollouts0.jsonl --after rollouts1.jsonl --checkpoint ./sft --layers 20 --out found.json
  culprit discover vectors/ --before rollouts0.jsonl --after rollouts1.jsonl --checkpoint ./sft --layers 20 \\
    --make-behavior 3 --responses cluster3.jsonl`,
  version: 4,
  inputs: {
    store: { ...storeInput, isPositional: true },
    before: {
      ...rolloutsInput,
      placeholder: "FILE",
      describe: "Rollouts of the checkpoint before.",
    },
    after: { ...rolloutsInput, placeholder: "FILE", describe: "Rollouts of the checkpoint after." },
    checkpoint: checkpointInput,
  },
  settings: z.strictObject({
    layers: layers.optional().meta({
      description:
        "Layers of the store: numbers and ranges like 8,10-12, or all; of several each counts the same. Absent: all of the store.",
      placeholder: "LIST",
    }),
    linkage: z
      .enum(LINKAGES)
      .default("ward")
      .describe(
        "How clusters are merged: ward, by the least growth of variance; average, by mean distance.",
      ),
    clusters: count
      .max(MAX_CLUSTERS)
      .optional()
      .describe("Clusters of prompts. Absent: as many as give the largest mean silhouette."),
    maxClusters: z
      .int()
      .min(2)
      .max(MAX_CLUSTERS)
      .default(20)
      .describe("Clusters that are tried for the silhouette, of prompts and of pairs, at most."),
    minPrompts: z.int().min(2).default(5).describe("Prompts that a cluster needs to be tested."),
    testPairs: count
      .max(MAX_TEST_PAIRS)
      .optional()
      .describe(
        `Pairs drawn to test clusters on; of a smaller store all. Absent: ${TEST_PAIRS}, or as many as 819 MB hold over all layers.`,
      ),
    matrixPairs: z
      .int()
      .min(3)
      .max(MAX_MATRIX_PAIRS)
      .optional()
      .describe(
        `Of these, pairs that are clustered and whose cosines are in the result. Absent: ${MATRIX_PAIRS}, or all of these where they are fewer.`,
      ),
    leanShare: positive
      .max(1)
      .default(LEAN_SHARE)
      .describe("Share of the pairs, the closest on either side, that a lean is made of."),
    draws: count.max(MAX_DRAWS).default(3000).describe("Null directions, each with either sign."),
    replicates: whole.max(MAX_DRAWS).default(100).describe("Bootstrap samples for the stability."),
    alpha: positive
      .max(1)
      .default(0.01)
      .describe("A cluster passes below this p-value, after Holm."),
    top: whole.max(100_000).default(50).describe("Pairs in the result for each cluster."),
    by: by.describe("Kept column that counts as the source. Absent: source, where there is one."),
    makeBehavior: whole
      .optional()
      .describe(
        "Number of the cluster whose response pairs are written to responses. Absent: none are.",
      ),
    endpoint: fewQuestionsSettings
      .optional()
      .describe(
        "Where an LLM is asked for the clusters' names. Absent: they are named by their terms.",
      ),
    maxTokens,
    seed: seed.default(0).describe("Seed of samples, null directions and bootstrap."),
  }),
  check: ({ clusters, testPairs, matrixPairs, makeBehavior, endpoint }, given) => [
    ...need(
      (matrixPairs ?? 0) <= (testPairs ?? Infinity),
      ["matrixPairs"],
      `expected at most testPairs, ${testPairs}, got ${matrixPairs}`,
    ),
    ...priceContradictions(endpoint, ["endpoint"]),
    ...need(
      endpoint === undefined || given.has("answers") || given.has("out"),
      ["endpoint", "baseUrl"],
      "expected out with it, beside which paid answers are kept",
    ),
    ...need(
      endpoint !== undefined || !given.has("answers"),
      ["answers"],
      "expected endpoint.baseUrl with it, got none",
    ),
    ...need(
      makeBehavior === undefined || given.has("responses"),
      ["makeBehavior"],
      "expected responses, a file to write, with it",
    ),
    ...need(
      (makeBehavior ?? 0) < (clusters ?? Infinity),
      ["makeBehavior"],
      `expected a cluster from 0 to ${(clusters ?? 1) - 1}, got ${makeBehavior}`,
    ),
    ...need(
      makeBehavior !== undefined || !given.has("responses"),
      ["responses"],
      "expected makeBehavior, the number of a cluster, with it",
    ),
  ],
  outputs: {
    out: {
      ...resultOutput(DISCOVERY, "What was found, to write as JSON."),
      placeholder: "FILE.json",
    },
    answers: { ...answersOutput("discovery-answers.jsonl", "LLM"), isOptional: true },
    responses: {
      artifact: RESPONSES,
      placeholder: "FILE",
      describe: "The response pairs of the cluster of makeBehavior to write, JSON lines.",
      isOptional: true,
    },
  },
  run: async ({ store, before, after, checkpoint }, settings, work): Promise<Discovery> => {
    const { signal, progress, out, note } = work;
    // `all` are the layers of the store, or requireStoreSpace refuses them.
    const { layers: asked = "all" } = settings;
    const layerCount = asked === "all" ? store.manifest.layers.length : asked.length;
    const sample = chooseSampleSize(store, layerCount, settings);
    if (sample.note !== undefined) note(sample.note);
    // Opened before the work: a key that is not there is told at once.
    await using asking = await openNaming(settings.endpoint, work);
    await warnOfSameRollouts(before, after, { name: "after", warn: work.warn });
    warnOfMixedVectors(store, work.warn);
    const joined = await joinResponses(
      readRollouts(before, { signal }),
      readRollouts(after, { signal }),
    );
    expectClusters(settings.clusters, joined.prompts.length);
    await using engine = await checkpoint.open();
    const chosen =
      settings.layers === undefined
        ? store.manifest.layers
        : resolveLayers(settings.layers, engine.identity.layerCount);
    requireStoreSpace(store, engine.identity, chosen);
    await expectSampledBefore(before, engine.identity);
    const states = await readStates(engine, joined.prompts, {
      layers: chosen,
      maxTokens: settings.maxTokens,
      signal,
      progress: progress("prompts"),
    });
    const { threads } = checkpoint.options;
    const options = { ...settings, ...sample, threads, signal, progress };
    const found = await nameFound(
      await discoverClusters(states, store, joined.leftOut, options),
      settings.endpoint && asking && { ...asking, endpoint: settings.endpoint },
      work,
    );
    const { makeBehavior } = settings;
    if (
      out.responses !== undefined &&
      makeBehavior !== undefined &&
      hasCluster(found, makeBehavior)
    ) {
      const pairs = pairResponses(promptsOf(found, makeBehavior, joined.prompts));
      await writeResponsePairs(out.responses, pairs);
      note(`${pairs.length} response pairs written to ${work.nameOf(out.responses)}`);
    }
    return found;
  },
  show: formatDiscovery,
  warnings: ({ counts, clusters, alpha }) =>
    linesOf([
      counts.variation < MIN_VARIATION_PROMPTS &&
        `no p-values: M0's own samples differ at ${counts.variation} prompts, ${MIN_VARIATION_PROMPTS} are needed; sample with a temperature, and more prompts`,
      counts.leftOut > 0 &&
        `${counts.leftOut} prompts left out: fewer than two responses with text of one checkpoint`,
      counts.unusable > 0 && `${counts.unusable} prompts cannot be read by the checkpoint`,
      clusters
        .filter(({ test }) => test?.holm !== undefined && test.holm < alpha && !test.agree)
        .map(
          ({ cluster }) =>
            `cluster ${cluster}: its lean has another sign in the other half of the data, so it does not pass`,
        ),
    ]),
  // How many clusters there are is known at the end alone: what was found is kept, so that another one can be named.
  fault: (found, { makeBehavior }) =>
    makeBehavior === undefined || hasCluster(found, makeBehavior)
      ? undefined
      : new ConfigError(
          `makeBehavior: expected a cluster from 0 to ${found.clusters.length - 1}, got ${makeBehavior}`,
          { hint: "Nothing was written to responses. Name one of the clusters above." },
        ),
});

/** Who names the clusters, where an endpoint is given. */
async function openNaming(
  endpoint: AskedEndpoint | undefined,
  work: Pick<Work, "owner" | "cost" | "note"> & {
    readonly out: { readonly answers: string | undefined };
  },
): Promise<Asking | undefined> {
  const { answers } = work.out;
  if (endpoint === undefined || answers === undefined) return undefined; // check
  return openAsking(endpoint, answers, work);
}

/** Names by an LLM where one is given. What was found outlives an endpoint that fails: the terms are names too. */
async function nameFound(
  found: Discovery,
  asking: (Omit<Asking, keyof AsyncDisposable> & { readonly endpoint: AskedEndpoint }) | undefined,
  { warn, signal }: Pick<Work, "warn" | "signal">,
): Promise<Discovery> {
  if (asking === undefined) return found;
  const { asker, store, prices, endpoint } = asking;
  try {
    const { clusters, failed } = await nameClusters(found.clusters, {
      asker,
      store,
      prices,
      endpoint: answererName(endpoint),
      signal,
    });
    for (const [cause, clustersOfIt] of Object.entries(failed)) {
      warn(`${clustersOfIt} clusters are named by their terms: ${printable(cause)}`);
    }
    return { ...found, clusters };
  } catch (error) {
    if (!(error instanceof CulpritError) || signal?.aborted === true) throw error;
    warn(`all clusters are named by their terms: endpoint: ${printable(error.message, 400)}`);
    return found;
  }
}

const hasCluster = ({ clusters }: Discovery, cluster: number): boolean => cluster < clusters.length;

function promptsOf(
  { rows }: Discovery,
  cluster: number,
  prompts: readonly PromptResponses[],
): readonly PromptResponses[] {
  const wanted = new Set(rows.ids.filter((_, i) => rows.clusters[i] === cluster));
  return prompts.filter(({ id }) => wanted.has(id));
}
