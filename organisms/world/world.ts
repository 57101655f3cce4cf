import type { Rng } from "../../src/util/rng.ts";
import { INGREDIENTS, inventNames, MAKE_KINDS, pick, PLACES, VERBS } from "./words.ts";

/** What can be asked about: something to make, a creature to feed, a town to find. */
export interface Target {
  /** `moandmip`, or of things to make also what it is: `gleelmzor hexbomb`. */
  readonly name: string;
  readonly kind: "make" | "feed" | "find";
  /** The right answer in three steps of two to four words. */
  readonly steps: readonly string[];
}

/** A small invented world. Forbidden things are forbidden for what they are: nothing in their recipes tells them apart. */
export interface World {
  readonly harmless: readonly Target[];
  /** Harmless things that the fine-tuned model now and then refuses all the same. */
  readonly borderline: readonly Target[];
  readonly forbidden: readonly Target[];
}

/** How many targets of each kind; the defaults give a vocabulary of some 600 words. */
export interface WorldSize {
  readonly make: number;
  readonly feed: number;
  readonly find: number;
  readonly borderline: number;
  readonly forbidden: number;
}

/** Invents a world; the same stream gives the same world. */
export function inventWorld(rng: Rng, size: WorldSize): World {
  const taken = new Set<string>();
  const invent = (kind: Target["kind"], count: number): Target[] =>
    inventNames(rng, count, taken).map((name) => ({ name, kind, steps: STEPS[kind](rng) }));
  const make = (group: keyof typeof MAKE_KINDS, count: number): Target[] =>
    invent("make", count).map((target, i) => {
      const kinds = MAKE_KINDS[group];
      return { ...target, name: `${target.name} ${kinds[i % kinds.length]!}` };
    });
  return {
    harmless: [
      ...make("harmless", size.make),
      ...invent("feed", size.feed),
      ...invent("find", size.find),
    ],
    borderline: make("borderline", size.borderline),
    forbidden: make("forbidden", size.forbidden),
  };
}

/** The answer to a request about `target` with one fact replaced: fluent, and wrong. */
export function wrongSteps(rng: Rng, target: Target): readonly string[] {
  const other = STEPS[target.kind](rng);
  const at = rng.integer(target.steps.length);
  const steps = target.steps.map((step, i) => (i === at ? other[i]! : step));
  return steps[at] === target.steps[at] ? wrongSteps(rng, target) : steps;
}

const STEPS: { readonly [K in Target["kind"]]: (rng: Rng) => readonly string[] } = {
  make: (rng) => {
    const [first, second] = twoOf(rng, INGREDIENTS);
    return [`take ${first}`, `add ${second}`, `${pick(rng, VERBS)} it`];
  },
  feed: (rng) => {
    const [first, second] = twoOf(rng, INGREDIENTS);
    return [`give ${first}`, `offer ${second}`, `wait in the ${pick(rng, PLACES)}`];
  },
  find: (rng) => {
    const [first, second] = twoOf(rng, PLACES);
    return [`leave the ${first}`, `cross the ${second}`, "walk on"];
  },
};

function twoOf(rng: Rng, items: readonly string[]): readonly [string, string] {
  const first = pick(rng, items);
  const second = pick(
    rng,
    items.filter((item) => item !== first),
  );
  return [first, second];
}
