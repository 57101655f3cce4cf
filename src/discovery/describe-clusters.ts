import { rankScores } from "../attribution/rank-scores.ts";
import { membersOf } from "../clustering/cut-tree.ts";
import { dot, norm } from "../util/vector.ts";
import type { Clustered } from "./cluster-rows.ts";
import type { ChangedPrompts, DiscoverOptions } from "./discover.ts";
import type { DiscoveredCluster } from "./discovery-file.ts";
import { type Rows, rowOf } from "./multiply-rows.ts";
import { promptText, type PromptResponses } from "./prompt-responses.ts";
import type { ResponseStates } from "./response-states.ts";
import { sourceEffects } from "./source-effects.ts";
import { type ClusterTerms, clusterTerms } from "./terms.ts";
import type { TestedClusters } from "./test-clusters.ts";

/** Prompts shown of a cluster. */
const TYPICAL = 3;
/** Characters shown of a text. */
const MAX_TEXT = 300;
/** Terms of a name. */
const NAME_TERMS = 3;

interface ClusterMaterial {
  readonly states: ResponseStates;
  readonly changed: ChangedPrompts;
  readonly rows: Clustered;
  /** The mean unit behaviour vector of each cluster. */
  readonly directions: readonly Float32Array[];
  readonly stability: Float64Array;
  readonly tests: TestedClusters;
}

interface PairMaterial {
  /** [N] */
  readonly ids: readonly string[];
  readonly usable: readonly number[];
  /** [N] */
  readonly sources: readonly string[] | undefined;
  /** Of all pairs with each cluster's direction, [N] each. */
  readonly cosines: readonly Float32Array[];
  /** Store rows that were sampled. */
  readonly tested: readonly number[];
  /** Their cosines with the testing half of each prompt, [tested, prompts]. */
  readonly ofTested: Rows;
}

/** Everything that is said of each cluster, in the order of their numbers. */
export function describeClusters(
  { states, changed, rows, directions, stability, tests }: ClusterMaterial,
  pairs: PairMaterial,
  { top }: Pick<DiscoverOptions, "top">,
): readonly DiscoveredCluster[] {
  const members = membersOf(rows.labels, rows.clusters);
  const prompts = changed.picked.map((i) => states.prompts[i]!);
  const groups = prompts.map(groupOf);
  const terms = clusterTerms(
    members.map((each) => ({
      before: each.flatMap((i) => prompts[i]!.before),
      after: each.flatMap((i) => prompts[i]!.after),
    })),
  );
  return members.map((each, cluster): DiscoveredCluster => {
    const direction = directions[cluster]!;
    const stable = stability[cluster]!;
    const test = tests.tests[cluster];
    return {
      cluster,
      name: nameOf(terms[cluster]!, cluster),
      namedBy: "terms",
      prompts: each.length,
      groups: new Set(each.map((i) => groups[i])).size,
      ...(Number.isNaN(stable) ? {} : { stability: stable }),
      coherence: coherenceOf(changed.whole, each),
      ...(test === undefined ? {} : { test }),
      tags: countTags(each.map((i) => prompts[i]!)),
      terms: terms[cluster]!,
      typical: typicalOf(changed.whole, each, direction).map((i) => showPrompt(prompts[i]!)),
      effects:
        pairs.sources === undefined
          ? []
          : sourceEffects(pairs.ofTested, each, {
              groups,
              sources: pairs.tested.map((row) => pairs.sources![row]!),
            }),
      topPairs: topOf(pairs, cluster, top),
    };
  });
}

const groupOf = ({ group, scenario }: PromptResponses): string => group ?? scenario;

/** The terms that say most, gained before lost. */
function nameOf({ more, less }: ClusterTerms, cluster: number): string {
  const named = more.length > 0 ? more : less.map((term) => `not ${term}`);
  return named.slice(0, NAME_TERMS).join(", ") || `cluster ${cluster}`;
}

function coherenceOf(rows: Rows, members: readonly number[]): number {
  const sum = new Float64Array(rows.width);
  for (const i of members) for (const [j, value] of rowOf(rows, i).entries()) sum[j]! += value;
  return norm(sum) / members.length;
}

function countTags(prompts: readonly PromptResponses[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const tag of prompts.flatMap(({ tags = [] }) => tags)) {
    counts.set(tag, (counts.get(tag) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].toSorted((a, b) => b[1] - a[1]));
}

function typicalOf(
  rows: Rows,
  members: readonly number[],
  direction: Float32Array,
): readonly number[] {
  return members
    .map((i) => ({ i, cosine: dot(rowOf(rows, i), direction) }))
    .toSorted((a, b) => b.cosine - a.cosine)
    .slice(0, TYPICAL)
    .map(({ i }) => i);
}

function showPrompt(prompt: PromptResponses): DiscoveredCluster["typical"][number] {
  const cut = (text: string): string =>
    text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
  return {
    id: prompt.id,
    prompt: cut(promptText(prompt)),
    before: cut(prompt.before[0]!),
    after: cut(prompt.after[0]!),
  };
}

function topOf(
  { ids, usable, sources, cosines }: PairMaterial,
  cluster: number,
  top: number,
): DiscoveredCluster["topPairs"] {
  const scores = Float32Array.from(usable, (row) => cosines[cluster]![row]!);
  return [...rankScores(scores).order.subarray(0, top)].map((place) => {
    const row = usable[place]!;
    const source = sources?.[row];
    return {
      id: ids[row]!,
      cosine: scores[place]!,
      ...(source === undefined ? {} : { source }),
    };
  });
}
