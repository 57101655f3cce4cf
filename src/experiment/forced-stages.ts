import { ConfigError } from "../util/errors.ts";
import { type Stage, stageId } from "./stage.ts";

/** The ids of the stages that `names`, ids or kinds, mean. Throws ConfigError where one means none. */
export function forcedStages(
  stages: readonly Stage[],
  names: readonly string[],
): ReadonlySet<string> {
  const ids = stages.map(stageId);
  for (const name of names) {
    if (!stages.some((stage) => stage.kind === name) && !ids.includes(name)) {
      throw new ConfigError(`force: expected stages of this experiment, got ${name}`, {
        hint: `They are ${ids.join(", ")}.`,
      });
    }
  }
  return new Set(
    stages
      .filter((stage) => names.includes(stage.kind) || names.includes(stageId(stage)))
      .map(stageId),
  );
}
