import type { EngineOptions } from "../engine/engine-host.ts";
import type { Experiment } from "./schema.ts";

/** The engine options of an experiment; `name` stands in manifests instead of a path of this machine. */
export function engineOptions(
  { checkpoints, engine }: Pick<Experiment, "checkpoints" | "engine">,
  name: string,
): EngineOptions {
  return {
    name,
    template: checkpoints.template,
    device: engine.device,
    threads: engine.threads,
    batchTokens: engine.batchTokens,
  };
}
