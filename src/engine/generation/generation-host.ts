import type { LoadedModel } from "../../model/model-family.ts";
import type { ActivationsGraph } from "../../model/pooled-activations.ts";
import type { RopeScaling } from "../../model/rope.ts";
import type { Program } from "../../runtime/ort.ts";

/** What sampling needs of the engine: the model, and its graphs compiled. */
export interface GenerationHost {
  readonly model: LoadedModel;
  /** False where every graph would hold its own copy of the weights. */
  readonly hasPrefixes: boolean;
  /** Compiles a graph, or takes it from an earlier call with the same key; `isStep` (default false): it will run very often. */
  program(
    key: string,
    build: () => ActivationsGraph,
    options?: { readonly isStep?: boolean | undefined },
  ): Promise<{
    readonly program: Program;
    readonly frequencyInputs: ReadonlyMap<string, RopeScaling>;
  }>;
}
