/** @file What discovery found, as one file: for people, for the report's panel, and for what goes on from a cluster. */
import { z } from "zod";

import { LINKAGES } from "../clustering/linkage.ts";
import { checkpointSchema, LAYER_CONVENTION } from "../store/vector-store-manifest.ts";
import { countSchema, countsSchema, jsonArtifact, type Plain } from "../util/artifact.ts";
import { LEAN_KINDS } from "./test-clusters.ts";

/** A tree over n items in SciPy's form (see Tree), the order of its leaves, and how many clusters it was cut into. */
const treeSchema = z.strictObject({
  left: z.array(countSchema),
  right: z.array(countSchema),
  height: z.array(z.number()),
  size: z.array(countSchema),
  leafOrder: z.array(countSchema),
  clusters: countSchema,
  /** Mean silhouette by number of clusters, the best first; empty where the number was given. */
  tried: z.array(z.strictObject({ clusters: countSchema, silhouette: z.number() })),
});

const effectSchema = z.strictObject({
  source: z.string(),
  pairs: countSchema,
  effect: z.number(),
  low: z.number().optional(),
  high: z.number().optional(),
});

const pairSchema = z.strictObject({
  id: z.string(),
  cosine: z.number(),
  source: z.string().optional(),
});

const testSchema = z.strictObject({
  /** Which lean is the clearer: that of the few closest pairs (concentrated), or of all (diffuse). */
  kind: z.enum(LEAN_KINDS),
  /** Both, each with its own p-value. */
  tried: z.array(z.strictObject({ share: z.number(), lean: z.number(), p: z.number().optional() })),
  /** The clearer one: mean cosine of the pairs closest to the cluster's direction, on either side; see leanOf. */
  lean: z.number(),
  /** Twice the smaller of the two p-values, at most 1; absent without a null. */
  p: z.number().optional(),
  /** Over all clusters that were tested. */
  holm: z.number().optional(),
  /** The 95% quantile of the leans of directions of own variation. */
  null95: z.number().optional(),
  /** Lean by each half of the data: samples and pairs, none in both. */
  halves: z.array(z.number()).length(2),
  /** Whether the two have one sign. */
  agree: z.boolean(),
});

const clusterSchema = z.strictObject({
  cluster: countSchema,
  /** What it is called: by an LLM, else its first terms. */
  name: z.string(),
  namedBy: z.enum(["terms", "llm"]),
  prompts: countSchema,
  /** Requests: prompts of one group ask the same. */
  groups: countSchema,
  /** Mean largest Jaccard index over bootstrap samples of the prompts (Hennig 2007); absent where none holds it. */
  stability: z.number().optional(),
  /** Length of the mean unit behaviour vector: 1 where all prompts change alike. */
  coherence: z.number(),
  /** Absent for clusters of too few prompts. */
  test: testSchema.optional(),
  /** The cluster's prompts that have each tag, the commonest first. */
  tags: countsSchema,
  terms: z.strictObject({ more: z.array(z.string()), less: z.array(z.string()) }),
  /** Nearest to the cluster's direction first. */
  typical: z.array(
    z.strictObject({ id: z.string(), prompt: z.string(), before: z.string(), after: z.string() }),
  ),
  effects: z.array(effectSchema),
  /** Highest cosine first. */
  topPairs: z.array(pairSchema),
});

const schema = z.strictObject({
  format: z.literal("culprit-discovery"),
  version: z.literal(1),
  checkpoint: checkpointSchema,
  layers: z.array(countSchema).min(1),
  layerConvention: z.literal(LAYER_CONVENTION),
  linkage: z.enum(LINKAGES),
  seed: z.int(),
  counts: z.strictObject({
    /** Prompts that were clustered. */
    prompts: countSchema,
    /** Answered by one checkpoint alone, or too seldom. */
    leftOut: countSchema,
    unusable: countSchema,
    /** The halves of both checkpoints' samples that choose clusters hold the same texts: nothing changed there. */
    unchanged: countSchema,
    truncated: countSchema,
    /** Of the store. */
    pairs: countSchema,
    /** Too short a vector to have a direction. */
    lowNorm: countSchema,
    /** Sampled to test clusters. */
    tested: countSchema,
    /** Prompts at which M0's samples differ, of which the null is made. */
    variation: countSchema,
  }),
  /** The kept column that counts as the source; absent where there is none. */
  by: z.string().optional(),
  /** The share of the pairs that a lean is made of. */
  leanShare: z.number(),
  alpha: z.number(),
  rows: z.strictObject({
    ids: z.array(z.string()),
    clusters: z.array(countSchema),
    tree: treeSchema,
  }),
  columns: z.strictObject({
    /** The sampled pairs that were clustered. */
    ids: z.array(z.string()),
    clusters: z.array(countSchema),
    tree: treeSchema,
    /** All pairs by the cluster of columns whose centre is nearest, and by source in it. */
    assigned: z.array(z.strictObject({ pairs: countSchema, sources: countsSchema })),
  }),
  /** Cosines in thousandths, one list for each row, in the order of the columns' ids. */
  matrix: z.array(z.array(z.int())),
  clusters: z.array(clusterSchema),
});

export type Discovery = Plain<typeof schema>;
export type DiscoveredCluster = Discovery["clusters"][number];

/** One line: the matrix makes it long. */
export const DISCOVERY = jsonArtifact("discovery.json", "what culprit discover found", schema, {
  indent: 0,
  hint: "Is this the file that culprit discover wrote, by a version of culprit like this one?",
});
