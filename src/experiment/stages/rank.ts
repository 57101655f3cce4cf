import { basename, extname, join } from "node:path";

import { findMethod } from "../../attribution/methods/index.ts";
import { readBehavior, type StoredBehavior } from "../../behavior/behavior-file.ts";
import type { UnusedNull } from "../../ranking/signal-verdict.ts";
import { type NullBehaviors, rank } from "../../verbs/rank.ts";
import { type MethodChoice, methodLabel, ownSettings } from "../../verbs/settings/methods.ts";
import type { ExperimentInputs } from "../experiment-inputs.ts";
import { boundPairs } from "../pair-inputs.ts";
import type { Experiment } from "../schema.ts";
import { readSkipped } from "../skipped.ts";
import { type Stage, stageId } from "../stage.ts";
import { type BoundStages, verbStage } from "../verb-stage.ts";
import { BEHAVIOR_NAME } from "./behavior.ts";

/** All pairs at the chosen layer, best first. */
export const RANKING_NAME = rank.outputs.out.artifact.name;

/** What an entry of attribution.nulls is called in results: drift, or its file's name. */
export const nullBehavior = (entry: string): string => basename(entry, extname(entry));

/** What the stage of the i-th unrelated behaviour is called. */
export const nullName = (i: number): string => `null-${i + 1}`;

/** The stages of one kind, rank or quality, by method: the first has no name of its own, so that others may be added beside it. */
export function methodStage(
  { attribution }: Pick<Experiment, "attribution">,
  kind: "rank" | "quality",
  label: string,
): string {
  const [first] = attribution.methods;
  const isFirst = first !== undefined && methodLabel(first) === label;
  return stageId({ kind, name: isFirst ? "" : label });
}

/** Scores and ranks all stored pairs by one method. */
export function rankStage(
  experiment: Experiment,
  inputs: ExperimentInputs,
  choice: MethodChoice,
): Stage {
  const { attribution, engine } = experiment;
  const method = findMethod(choice.name);
  const { hasLayer } = method.describe(ownSettings(choice)).traits;
  const hasBehavior = method.needs.includes("behavior");
  const id = methodStage(experiment, "rank", methodLabel(choice));
  return verbStage(rank, {
    kind: "rank",
    name: id.slice("rank-".length),
    settings: {
      method: choice,
      layer: hasLayer ? attribution.layer : undefined,
      show: 10,
      threads: engine.threads,
    },
    inputs: {
      store: { stage: "embed" },
      behavior: hasBehavior ? { stage: "behavior" } : undefined,
      nullBehavior:
        hasBehavior && attribution.nulls.length > 0 ? boundNulls(attribution.nulls) : undefined,
      pairs: method.needs.includes("pairs") ? boundPairs(inputs.pairs) : undefined,
    },
    outputs: ["out", "report"],
  });
}

/** The unrelated behaviours, as far as there was something to make them of. */
function boundNulls(entries: readonly string[]): BoundStages<NullBehaviors> {
  const names = entries.map((_, i) => nullName(i));
  return {
    stages: Object.fromEntries(names.map((name) => [name, `behavior-${name}`])),
    open: async (folder) => {
      const behaviors: StoredBehavior[] = [];
      const skipped: UnusedNull[] = [];
      for (const [i, name] of names.entries()) {
        const reason = await readSkipped(folder(name));
        if (reason === undefined) {
          behaviors.push(await readBehavior(join(folder(name), BEHAVIOR_NAME)));
        } else skipped.push({ behavior: nullBehavior(entries[i]!), reason });
      }
      return { behaviors, skipped };
    },
  };
}
