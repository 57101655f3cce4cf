import { expect, it } from "vitest";

import { createRng } from "../util/rng.ts";
import { drawScenarios } from "./draw-scenarios.ts";
import type { ScenarioPrompt } from "./scenarios.ts";

const prompts = Array.from({ length: 200 }, (_, i): ScenarioPrompt => {
  const variant = i % 2 === 0 ? "base" : "base+distractor";
  return { scenario: `s${i >> 1}`, variant, prompt: [{ role: "user", content: `${i}` }] };
});

it("draws whole scenarios from everywhere in the file, in its order, the same by the same seed", () => {
  const drawn = drawScenarios(prompts, 20, createRng(0));
  expect(drawn).toHaveLength(40);
  expect(drawn).toEqual(prompts.filter((each) => drawn.includes(each)));
  expect(new Set(drawn.map(({ scenario }) => scenario)).size).toBe(20);
  expect(drawn.filter((each) => prompts.indexOf(each) >= 100).length).toBeGreaterThan(8);
  expect(drawScenarios(prompts, 20, createRng(0))).toEqual(drawn);
  expect(drawScenarios(prompts, 20, createRng(1))).not.toEqual(drawn);
  expect(drawScenarios(prompts, 500, createRng(0))).toEqual(prompts);
});
