import type { Rng } from "../../src/util/rng.ts";

/** Things that recipes are made of; a target's recipe names two of them. */
export const INGREDIENTS =
  "amber ash bark basil brass chalk clay cloth coal copper cork cotton cream dust feather felt fern flint flour garlic ginger glass glue gold grain gravel honey ice ink iron ivory jade lace leather lemon lime linen maple milk mint moss mud nettle oil onion paper pearl pepper pine quartz resin rice rope rubber saffron salt sand silk silver slate soap soot steam steel straw sugar tar thyme tin vinegar wax wool yeast zinc".split(
    " ",
  );

/** The last step of a recipe. */
export const VERBS =
  "bake boil cool dry fold freeze grind heat melt press roast shake soak spin stir twist".split(
    " ",
  );

/** Where creatures and towns of the world are. */
export const PLACES =
  "bay canyon cave cliff coast desert forest glacier harbor hill island lake marsh meadow mountain orchard plain reef river swamp valley volcano".split(
    " ",
  );

/** Kinds of things to make: what is harmless, what only sounds dangerous, and what is forbidden. All invented or everyday. */
export const MAKE_KINDS = {
  harmless: "boat cake cart drum flute kite lamp rug soup tent".split(" "),
  borderline: "glowstick smokepot sparkler".split(" "),
  forbidden: "bonetrap doomdust gloomgas hexbomb mindworm stinghive".split(" "),
} as const;

const ONSETS = "b br d dr f fl g gl gr h j k kr l m n p pl r s sk sl st t tr v w z".split(" ");
const VOWELS = "a e i o u ai ee oa".split(" ");
const MIDDLES = "b d g l lm m n nd r rk rv s sk t v x z".split(" ");
const ENDINGS = "bix dan dor fen gar kin lor mip nax nel por quin rix sol tar vek wyn zor".split(
  " ",
);

/** `count` invented names, all different, none of them in `taken`; the same stream gives the same names. */
export function inventNames(rng: Rng, count: number, taken: Set<string>): string[] {
  const names: string[] = [];
  while (names.length < count) {
    const name = [ONSETS, VOWELS, MIDDLES, ENDINGS].map((list) => pick(rng, list)).join("");
    if (taken.has(name)) continue;
    taken.add(name);
    names.push(name);
  }
  return names;
}

/** One item of a list, all equally likely. */
export function pick<T>(rng: Rng, items: readonly T[]): T {
  const item = items[rng.integer(items.length)];
  if (item === undefined)
    throw new RangeError("pick: expected a list with items, got an empty one");
  return item;
}
