import { expect, it } from "vitest";

import { collectActivations } from "../behavior/activations.ts";
import { computeBehavior } from "../behavior/behavior.ts";
import { drawFolds } from "../behavior/held-out.ts";
import { groupKeys } from "../behavior/prompt-groups.ts";
import { trainProbe } from "../behavior/train-probe.ts";
import type { EmbeddedExample, EmbeddingEngine } from "../engine/engine.ts";
import type { RolloutWithPrompt } from "../judge/judge.ts";
import type { Verdict } from "../judge/verdict.ts";
import type { ResponsePair } from "../pairs/response-pairs.ts";
import { createRng } from "../util/rng.ts";
import { pairRollouts } from "./rollout-pairs.ts";

const DIM = 48;
const BASES = 24;
const CONSTRAINTS = 4;
const VARIANTS = ["base", "base+distractor"];

it("scenarios on one base are one group and land in one fold", async () => {
  const { pairs } = await draw();
  expect(pairs).toHaveLength(BASES * CONSTRAINTS);
  const { promptKeys } = await collectActivations(createNoise(1), pairs, { layers: [1] });
  const prompts = groupKeys(promptKeys);
  expect(prompts.labels).toHaveLength(BASES);
  const members = Int32Array.from(pairs, (_, i) => i);
  const { of } = drawFolds(prompts, members, { folds: 5, rng: createRng(1) });
  for (let base = 0; base < BASES; base++) {
    const own = of.slice(base * CONSTRAINTS, (base + 1) * CONSTRAINTS);
    expect(new Set(own).size).toBe(1);
  }
});

it("pairs for a second null are grouped by the base too, whatever their variant", async () => {
  const { drift } = await draw();
  expect(new Set(drift.map(({ group }) => group)).size).toBe(BASES);
  expect(drift.every(({ group }) => group !== undefined)).toBe(true);
});

it("pairs without rollouts of the plain variant have no group", async () => {
  const { pairs } = await draw("other");
  expect(pairs.filter((each) => "group" in each)).toEqual([]);
});

it("noise that constraints on one base share is not taken for a behaviour", async () => {
  const { pairs } = await draw();
  const grouped: number[] = [];
  for (let seed = 0; seed < 5; seed++) {
    const { auroc, isStable } = await measure(pairs, seed);
    grouped.push(auroc);
    expect(isStable).toBe(false);
  }
  const mean = grouped.reduce((sum, each) => sum + each, 0) / grouped.length;
  expect(mean).toBeGreaterThan(0.38);
  expect(mean).toBeLessThan(0.62);
  // The fault to avoid: each constraint taken for a prompt of its own.
  const alone = await measure(
    pairs.map(({ group: _left, ...pair }) => pair),
    0,
  );
  expect(alone.auroc).toBeGreaterThan(0.95);
});

async function measure(
  pairs: readonly ResponsePair[],
  seed: number,
): Promise<{ readonly auroc: number; readonly isStable: boolean }> {
  const activations = await collectActivations(createNoise(seed), pairs, { layers: [1] });
  const mean = computeBehavior(activations, { name: "noise", nullDirections: 0 });
  const trained = await trainProbe(mean, activations, { kind: "logistic", splits: 5 });
  const [{ heldOut, isStable }] = trained.diagnostics as [(typeof trained.diagnostics)[0]];
  if (heldOut.kind !== "measured") throw new Error(heldOut.reason);
  return { auroc: heldOut.auroc, isStable };
}

/** Every scenario kept; M1 shows it with the distractor only. The base differs in case and punctuation between constraints. */
async function draw(plain = "base") {
  const after = rolloutsOf(1);
  const before = rolloutsOf(0);
  const judged = { before: judge(before, () => false), after: judge(after, showsAfter) };
  const scenarios = [...new Set(after.map(({ scenario }) => scenario))];
  return pairRollouts({ before, after }, judged, { kept: scenarios, plain, withDrift: true });
}

const showsAfter = ({ variant }: RolloutWithPrompt): boolean => variant === "base+distractor";

function judge(
  rollouts: readonly RolloutWithPrompt[],
  shows: (rollout: RolloutWithPrompt) => boolean,
): Verdict[] {
  return rollouts.map((each) => {
    const { id, scenario, variant, sample } = each;
    return { rollout: id, scenario, variant, sample, label: shows(each) ? "shows" : "not" };
  });
}

/** A response is the number of its base and side, then of its constraint. */
function rolloutsOf(side: 0 | 1): RolloutWithPrompt[] {
  return Array.from({ length: BASES * CONSTRAINTS }, (_, i) => {
    const [base, constraint] = [Math.floor(i / CONSTRAINTS), i % CONSTRAINTS];
    return VARIANTS.map((variant): RolloutWithPrompt => {
      const request = constraint % 2 === 0 ? `Name river ${base}.` : `name  River ${base}`;
      const content = variant === "base" ? request : `${request} In form ${constraint}.`;
      return {
        id: `${i}/${variant}/0`,
        scenario: `${i}`,
        variant,
        sample: 0,
        prompt: [{ role: "user", content }],
        response: `${2 * base + side} ${constraint}`,
      };
    });
  }).flat();
}

/** A checkpoint whose activations are noise of the base and the side, the same for all its constraints but for a tenth. */
function createNoise(seed: number): EmbeddingEngine {
  return {
    identity: {
      name: "noise",
      checkpointHash: "c",
      tokenizerHash: "t",
      templateHash: "raw",
      family: "noise",
      layerCount: 1,
      dim: DIM,
      maxPositions: 100,
    },
    tokenize: (_prompt, responses) => ({
      prompt: Int32Array.of(1),
      responses: responses.map(([turn]) => Int32Array.from(turn!.content.split(" "), Number)),
    }),
    async *embed(examples): AsyncIterable<EmbeddedExample> {
      for (const [index, { responses }] of examples.entries()) {
        const means = responses.map((ids) => {
          const [own, constraint] = ids as unknown as [number, number];
          const shared = createRng(1000 * seed + own);
          const extra = createRng(100_000 + 1000 * seed + 10 * own + constraint);
          return Float32Array.from({ length: DIM }, () => shared.normal() + extra.normal() / 10);
        });
        yield await Promise.resolve({ index, means });
      }
    },
  };
}
