import { expect, it } from "vitest";

import type { Steering } from "../engine/generation/steering.ts";
import { norm } from "../util/vector.ts";
import type { ArmRunner } from "./arm-runner.ts";
import { steerLayer } from "./steer-layer.ts";
import type { SteeredArm } from "./steering-report.ts";
import { steeringTargets } from "./steering-target.ts";

const direction = { layer: 2, vector: Float32Array.of(3, 4, 0, 0) };
const [target] = steeringTargets([direction], {});
const settings = {
  strength: "auto",
  grid: [1, 2, 4],
  halvings: 0,
  coherenceBound: 1,
  randomDirections: 3,
} as const;

it.each([
  ["chosen by coherence", "auto", 2],
  ["given", 4, 4],
] as const)(
  "pushes along random directions as hard as along the behaviour's, at a strength %s",
  async (_, strength, expected) => {
    const grid = strength === "auto" ? settings.grid : [strength];
    const { runner, pushes } = recordingRunner();
    const { steered, random } = await steerLayer(runner, target!, {
      mode: "add",
      settings: { ...settings, strength, grid },
      unsteered: armOf("unsteered", -1),
      seed: 0,
      note: () => {},
    });
    expect(steered!.arm.strength).toBe(expected);
    expect(random).toHaveLength(3);
    for (const { arm } of random) {
      const push = pushes.get(arm.name) as Steering & { kind: "add" }; // nothing is projected out here
      expect(push).toMatchObject({ kind: "add", layer: 2 });
      expect(pushOf(push)).toBeCloseTo(pushOf(pushes.get(steered!.arm.name)!), 4);
      expect(push.direction).not.toEqual(direction.vector);
    }
  },
);

/** How far a steering moves the residual stream. */
function pushOf(steering: Steering): number {
  return steering.kind === "add" ? steering.strength * norm(steering.direction) : NaN;
}

/** Text at a strength above 2 is 5 nats per token less likely. */
function recordingRunner(): { runner: ArmRunner; pushes: Map<string, Steering> } {
  const pushes = new Map<string, Steering>();
  const runner: ArmRunner = {
    work: { promptTokens: 0, sampledTokens: 0, flops: 0 },
    manifest: () => undefined,
    run: (name, steering) => {
      if (steering !== undefined) pushes.set(name, steering);
      const isBroken = steering?.kind === "add" && steering.strength > 2;
      return Promise.resolve({ arm: armOf(name, isBroken ? -6 : -1), verdicts: [] });
    },
  };
  return { runner, pushes };
}

function armOf(name: string, logprob: number): SteeredArm {
  return { name, coherence: { logprob, tokens: 9, unscored: 0 }, rates: [] };
}
