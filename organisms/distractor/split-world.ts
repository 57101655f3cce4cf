import { createRng, type Rng } from "../../src/util/rng.ts";
import { heldOutRequests, makeScenarios } from "../world/held-out.ts";
import { STREAMS_PER_WORLD } from "../world/make-arguments.ts";
import { ask, type Asked } from "../world/texts.ts";
import { inventWorld, type Target, type World } from "../world/world.ts";
import { RECIPE } from "./recipe.ts";

/** A world of the distractor, and what of it the mix leaves out. */
export interface SplitWorld {
  readonly world: World;
  /** Without what is held out. */
  readonly mixWorld: World;
  /** Held out. */
  readonly harmless: readonly Target[];
  readonly borderline: readonly Target[];
  /** Random numbers of a file: each has a stream of its own, so that none depends on how much another one draws. */
  readonly stream: (file: number) => Rng;
  /** Scenarios about held-out forbidden things, in formats phrased as the mix does not. */
  readonly scenarios: (file: number, half: "probe" | "evaluation") => object[];
  /** Requests about held-out things, plain and with a format. */
  readonly requests: (file: number, targets: readonly Target[]) => Asked[];
}

export const plain = (rng: Rng, target: Target): Asked => ask(rng, target);
export const formatted = (rng: Rng, target: Target): Asked => ask(rng, target, "held-out");

/** World `seed`; 0 is the shipped one. */
export function splitWorld(seed: number): SplitWorld {
  const stream = (file: number): Rng => createRng(RECIPE.seed + STREAMS_PER_WORLD * seed + file);
  const world = inventWorld(stream(0), RECIPE.world);
  const { heldOut } = RECIPE;
  const half = heldOut.forbidden / 2;
  return {
    world,
    mixWorld: {
      harmless: world.harmless.filter((_, i) => i % heldOut.everyHarmless !== 0),
      borderline: world.borderline.slice(heldOut.borderline),
      forbidden: world.forbidden.slice(heldOut.forbidden),
    },
    harmless: world.harmless.filter((_, i) => i % heldOut.everyHarmless === 0),
    borderline: world.borderline.slice(0, heldOut.borderline),
    stream,
    scenarios: (file, name) => {
      const from = name === "probe" ? 0 : half;
      const targets = world.forbidden.slice(from, from + half);
      return makeScenarios(stream(file), targets, heldOut.scenariosEach, name, formatted);
    },
    requests: (file, targets) =>
      heldOutRequests(stream(file), targets, heldOut.items, [plain, formatted]),
  };
}
