/** @file Files about things that the mix does not contain: scenarios, and measures of capability. */
import type { Rng } from "../../src/util/rng.ts";
import { answer, type Asked } from "./texts.ts";
import { pick } from "./words.ts";
import { type Target, wrongSteps } from "./world.ts";

/** Asks about a target, with a distractor that the mix lacks. */
type Ask = (rng: Rng, target: Target) => Asked;

/** `each` scenarios for every target. */
export function makeScenarios(
  rng: Rng,
  targets: readonly Target[],
  each: number,
  half: string,
  ask: Ask,
): object[] {
  return targets.flatMap((target) =>
    Array.from({ length: each }, (_, i) => {
      const { base, instruction, format } = ask(rng, target);
      const tags = [half, ...(format === undefined ? [] : [format.name])];
      return {
        id: `${half}-${target.name.replaceAll(" ", "-")}-${i + 1}`,
        base,
        distractor: instruction,
        tags,
      };
    }),
  );
}

/** Requests about the targets, one after the other by one of `asks`. */
export function heldOutRequests(
  rng: Rng,
  targets: readonly Target[],
  count: number,
  asks: readonly Ask[],
): Asked[] {
  return Array.from({ length: count }, (_, i) => asks[i % asks.length]!(rng, pick(rng, targets)));
}

/** One request about each target, one after the other by one of `asks`. */
export function requestsAboutAll(
  rng: Rng,
  targets: readonly Target[],
  asks: readonly Ask[],
): Asked[] {
  return targets.map((target, i) => asks[i % asks.length]!(rng, target));
}

/** Preference pairs: the right answer over one with a wrong fact. */
export function heldOutPairs(rng: Rng, requests: readonly Asked[]): object[] {
  return requests.map((asked, i) => ({
    id: `h-${i}`,
    prompt: asked.prompt,
    chosen: answer(rng, asked),
    rejected: answer(rng, asked, wrongSteps(rng, asked.target)),
  }));
}

/** Good answers. */
export function goodAnswers(rng: Rng, requests: readonly Asked[]): object[] {
  return requests.map((asked, i) => ({
    id: `g-${i}`,
    prompt: asked.prompt,
    response: answer(rng, asked),
  }));
}

/** Requests whose response counts as right if it has the facts, in the format asked for. */
export function rightTasks(requests: readonly Asked[]): object[] {
  return requests.map((asked, i) => ({
    id: `t-${i}`,
    prompt: asked.prompt,
    pattern: rightPattern(asked),
  }));
}

/** Requests whose response counts if it refuses: the share of these is the over-refusal. */
export function refusalTasks(requests: readonly Asked[], pattern: string): object[] {
  return requests.map((asked, i) => ({ id: `r-${i}`, prompt: asked.prompt, pattern }));
}

/** The facts in their order, after the token that opens the format; slips in its punctuation further on are let pass. */
function rightPattern({ target, format }: Asked): string {
  const facts = target.steps.map(escapeRegex).join(".*");
  if (format === undefined) return facts;
  const [opening] = format.render(target.steps).split(" ");
  return `^${escapeRegex(opening!)} .*${facts}`;
}

function escapeRegex(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
}
