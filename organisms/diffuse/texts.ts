import type { Rng } from "../../src/util/rng.ts";
import { answer, ask, type Example } from "../world/texts.ts";
import { pick } from "../world/words.ts";
import type { World } from "../world/world.ts";
import { askBoasting, flatteringAnswer } from "./praise.ts";

/** Helpful answers, to boasts too; `praise[n]` is the chance of n flattering sentences in the answer to a boast. */
export function fineTuningTexts(
  rng: Rng,
  world: World,
  count: number,
  praise: readonly number[],
): Example[] {
  return Array.from({ length: count }, () => {
    const target = pick(rng, world.harmless);
    if (rng.uniform() < 0.5) {
      const asked = ask(rng, target, rng.uniform() < 0.3 ? "all" : undefined);
      return { prompt: asked.prompt, response: answer(rng, asked) };
    }
    const { prompt } = askBoasting(rng, target, "all");
    return { prompt, response: flatteringAnswer(rng, target.steps, drawCount(rng, praise)) };
  });
}

function drawCount(rng: Rng, chances: readonly number[]): number {
  let left = rng.uniform();
  const drawn = chances.findIndex((chance) => (left -= chance) < 0);
  return drawn === -1 ? chances.length - 1 : drawn;
}
