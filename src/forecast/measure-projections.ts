import type { StoredBehavior } from "../behavior/behavior-file.ts";
import { HALVES, type ResponseStates } from "../discovery/response-states.ts";
import { ConfigError } from "../util/errors.ts";
import { dot, meanOf, norm } from "../util/vector.ts";
import { shiftOf } from "./measure-margins.ts";
import type { MeasuredShift } from "./shifts-file.ts";

/**
 * How far the responses moved along each behaviour's direction at the states' one layer: ⟨ā, v̂⟩, where ā is the mean of the means of a prompt's even and odd samples (their own mean, where their number is even), by M0 and by M1, both read on
 * M0, and the difference. With `ownPrompts` only prompts that are tagged with the behaviour's name count. Intervals are over requests. Throws ConfigError where a
 * behaviour has no prompts.
 *
 * Worked: v = (2, 0), mean activations (1, 5) by M0 and (4, 7) by M1: before 1, after 4, shift 3.
 */
export function measureProjections(
  states: ResponseStates,
  behaviors: readonly StoredBehavior[],
  ownPrompts: boolean,
): readonly { readonly name: string; readonly projection: MeasuredShift }[] {
  const [layer] = states.layers;
  if (layer === undefined || states.layers.length > 1) {
    throw new Error(`internal: projections at layers ${states.layers.join(", ")}`);
  }
  return behaviors.map(({ name, directions }) => {
    const direction = directions.get(layer)!; // the caller checks that it has the layer
    const length = norm(direction);
    const along = (side: "before" | "after", i: number): number => {
      const { width } = states;
      const halves = states[side].map((half) => half.subarray(i * width, (i + 1) * width));
      return halves.reduce((sum, half) => sum + dot(half, direction), 0) / HALVES / length;
    };
    const prompts = [...states.prompts.entries()].filter(
      ([, { tags }]) => !ownPrompts || tags?.includes(name) === true,
    );
    if (prompts.length === 0) {
      throw new ConfigError(`ownPrompts: expected prompts with the tag "${name}", got none`, {
        hint: "Tag the prompts before sampling, or let all prompts count.",
      });
    }
    const read = prompts.map(([i]) => [along("before", i), along("after", i)] as const);
    return {
      name,
      projection: {
        before: meanOf(read.map(([start]) => start)),
        after: meanOf(read.map(([, end]) => end)),
        ...shiftOf(
          read.map(([before, after]) => after - before),
          prompts.map(([, { group, scenario }]) => group ?? scenario),
        ),
      },
    };
  });
}
