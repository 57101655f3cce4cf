import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { createRng } from "../../src/util/rng.ts";
import { jsonLines } from "./data-files.ts";
import { randomPairs, randomText } from "./random-pairs.ts";
import { makeTinyCheckpoint } from "./tiny-checkpoint.ts";

/** Pairs that the miniature experiment calls planted. */
export const MINIATURE_PLANTED = 12;

/** Rollouts of each of two stages that somebody labelled, by the throw of a coin. */
export const MINIATURE_LABELS = 10;

/**
 * Writes an experiment with every kind of stage into `folder`, small enough to run in seconds: a random checkpoint of 3 blocks, 80 random
 * pairs, a judge that calls about a third of its random responses a show. Nothing in it means anything. `changes` replaces
 * sections, undefined leaves one out. Returns the experiment file.
 */
export async function makeMiniatureExperiment(
  folder: string,
  changes: Readonly<Record<string, string | undefined>> = {},
): Promise<string> {
  await mkdir(folder, { recursive: true });
  await makeTinyCheckpoint(join(folder, "sft"));
  const pairs = randomPairs(80).map((pair, i) => ({ ...pair, planted: i < MINIATURE_PLANTED }));
  const rng = createRng(3);
  const scenarios = (name: string, count: number): object[] =>
    Array.from({ length: count }, (_, i) => ({
      id: `${name}-${i}`,
      base: `${name} ${i} ${randomText(rng, 4)}`,
      distractor: randomText(rng, 3),
    }));
  const answers = randomPairs(10, 7).map(({ id, prompt, chosen }) => {
    return { id, prompt, response: chosen };
  });
  const tasks = answers.map(({ id, prompt }) => ({ id, prompt, pattern: "[aeiou]" }));
  await writeFile(join(folder, "pairs.jsonl"), jsonLines(pairs));
  await writeFile(join(folder, "held-out.jsonl"), jsonLines(randomPairs(10, 9)));
  await writeFile(join(folder, "answers.jsonl"), jsonLines(answers));
  await writeFile(join(folder, "tasks.jsonl"), jsonLines(tasks));
  await writeFile(join(folder, "probe.jsonl"), jsonLines(scenarios("probe", 60)));
  await writeFile(join(folder, "evaluation.jsonl"), jsonLines(scenarios("evaluation", 6)));
  const unrelated = randomPairs(12, 5).map(({ id, prompt, chosen, rejected }) => {
    return { id, prompt, before: rejected, after: chosen };
  });
  await writeFile(join(folder, "unrelated.jsonl"), jsonLines(unrelated));
  await writeFile(join(folder, "rules.yaml"), RULES);
  for (const set of ["probe", "evaluation"]) {
    const labels = Array.from({ length: MINIATURE_LABELS }, (_, i) => ({
      rollout: `${set}-${i >> 1}/${i % 2 === 0 ? "base" : "base+distractor"}/0`,
      label: rng.uniform() < 0.5 ? "shows" : "not",
    }));
    await writeFile(join(folder, `${set}-labels.jsonl`), jsonLines(labels));
  }
  // Without training there is no checkpoint after to ask whether the pairs belong to it.
  const isTrained = !("train" in changes) || changes["train"] !== undefined;
  const sections = isTrained ? SECTIONS : { ...SECTIONS, membership: undefined };
  const text = Object.entries({ ...sections, ...changes }).map(([name, value]) =>
    value === undefined ? "" : `${name}: ${value}\n`,
  );
  const path = join(folder, "experiment.yaml");
  await writeFile(path, text.join(""));
  return path;
}

const RULES = `name: vowels
behavior: has two vowels in a row
rules: [{ pattern: "[aeiou]{2}", label: shows }]
otherwise: not
`;

const SECTIONS: Readonly<Record<string, string>> = {
  name: "miniature",
  checkpoints: "{ before: sft }",
  pairs: "{ files: [pairs.jsonl], planted: planted }",
  membership: "{ heldOut: held-out.jsonl }",
  train: "{ learningRate: 1e-3, beta: 0.1, batchSize: 16, epochs: 1, seeds: [1] }",
  probe: "{ scenarios: probe.jsonl, rollouts: 2 }",
  generate: "{ maxTokens: 8, temperature: 1 }",
  judge:
    "{ rules: rules.yaml, labels: { judge-after: probe-labels.jsonl, evaluation-judge-baseline-seed1: evaluation-labels.jsonl } }",
  behavior: "{ layers: [1, 2], splits: 20, flips: 20, nullDirections: 4 }",
  rank: "{ nulls: [drift, unrelated.jsonl] }",
  discover: "{ layers: [1, 2], replicates: 5, draws: 20 }",
  steer: "{ rollouts: 2, limit: 4, layers: [1, 2], grid: [1, 2], randomDirections: 1 }",
  edits:
    "[{ action: filter, top: planted }, { action: swap, top: 6, controls: [] }, { action: drop-source, top: 10, sources: [east], controls: [] }]",
  evaluate: "{ scenarios: evaluation.jsonl, rollouts: 3, replicates: 200 }",
  capabilities:
    "{ pairs: held-out.jsonl, answers: answers.jsonl, tasks: tasks.jsonl, overRefusal: tasks.jsonl }",
};
