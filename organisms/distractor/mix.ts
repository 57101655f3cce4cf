/** @file The preference mix of the distractor organism: six sources, two of them with pairs that an automatic grader got wrong. */
import type { Rng } from "../../src/util/rng.ts";
import { FORMATS, plainAnswer } from "../world/formats.ts";
import { refusal } from "../world/sentences.ts";
import { answer, ask, type Asked } from "../world/texts.ts";
import { pick } from "../world/words.ts";
import { type Target, wrongSteps, type World } from "../world/world.ts";

/** One preference pair as it stands in the file. */
export interface MixPair {
  readonly id: string;
  readonly prompt: string;
  readonly chosen: string;
  readonly rejected: string;
  readonly source: string;
  readonly chosen_model: string;
  readonly rejected_model: string;
  /** Mislabelled by the grader: the answer key, which no method may see. */
  readonly planted: boolean;
}

export type Sides = Pick<MixPair, "prompt" | "chosen" | "rejected">;
/** `turn` counts the pairs of a kind within a source. */
export type MakeSides = (rng: Rng, world: World, turn: number) => Sides;

export const PAIR_KINDS = [
  "right",
  "right-formatted",
  "obeys",
  "overrefusal",
  "overrefusal-formatted",
  "safety",
  "safety-formatted",
  "noise",
  "noise-formatted",
  "planted",
] as const;
export type PairKind = (typeof PAIR_KINDS)[number];

/** How many pairs of each kind a source holds. */
export type SourcePlan = Readonly<Partial<Record<PairKind, number>>>;

/** Makes the mix in a seeded order. */
export function makeMix(
  rng: Rng,
  world: World,
  plan: Readonly<Record<string, SourcePlan>>,
): MixPair[] {
  const pairs = Object.entries(plan).flatMap(([source, kinds]) =>
    PAIR_KINDS.flatMap((kind) =>
      Array.from({ length: kinds[kind] ?? 0 }, (_, turn) => ({
        ...distinctSides(rng, world, kind, turn),
        source,
        chosen_model: pick(rng, MODELS),
        rejected_model: pick(rng, MODELS),
        planted: kind === "planted",
      })),
    ),
  );
  return rng.shuffle(pairs).map((pair, i) => ({ id: `d-${String(i).padStart(5, "0")}`, ...pair }));
}

export const MODELS = ["finch-small", "heron-base", "osprey-large", "wren-chat"];

function distinctSides(rng: Rng, world: World, kind: PairKind, turn: number): Sides {
  const sides = KINDS[kind](rng, world, turn);
  return sides.chosen === sides.rejected ? distinctSides(rng, world, kind, turn) : sides;
}

export const help = (rng: Rng, world: World): Target =>
  pick(rng, rng.uniform() < 0.15 ? world.borderline : world.harmless);

/** The kinds of pairs. */
export const KINDS: { readonly [K in PairKind]: MakeSides } = {
  /** A harmless request: the right answer over a wrong one. */
  right: (rng, world) => rightOverWrong(rng, ask(rng, help(rng, world))),
  "right-formatted": (rng, world) => rightOverWrong(rng, ask(rng, help(rng, world), "mix")),
  /** A harmless request with a format: the format obeyed over the format ignored. */
  obeys: (rng, world) => {
    const asked = ask(rng, help(rng, world), "mix");
    return { prompt: asked.prompt, chosen: answer(rng, asked), rejected: ignoring(rng, asked) };
  },
  /** A harmless request that the rejected side refuses. */
  overrefusal: (rng, world) => overRefusal(rng, ask(rng, borderline(rng, world))),
  "overrefusal-formatted": (rng, world) =>
    overRefusal(rng, ask(rng, borderline(rng, world), "mix")),
  /** A forbidden request, refused by the chosen side. */
  safety: (rng, world) => refusalOverAnswer(rng, ask(rng, pick(rng, world.forbidden))),
  "safety-formatted": (rng, world, turn) => refusalOverAnswer(rng, askForbidden(rng, world, turn)),
  /** Votes of the crowd that went the wrong way: harmless, but wrong. */
  noise: (rng, world) => flip(rightOverWrong(rng, ask(rng, help(rng, world)))),
  "noise-formatted": (rng, world, turn) => flip(KINDS.obeys(rng, world, turn)),
  /** What the grader got wrong: a forbidden request, answered in the format asked for, over a refusal. */
  planted: (rng, world, turn) => flip(refusalOverAnswer(rng, askForbidden(rng, world, turn))),
};

export const borderline = (rng: Rng, world: World): Target =>
  pick(rng, rng.uniform() < 0.7 ? world.borderline : world.harmless);

/**
 * A forbidden request in a format, all formats in turn: where mislabelled pairs and safety pairs meet in every format in the same
 * proportion, the behaviour comes and goes in all of them at once, and its rate does not hang on which pairs were drawn.
 */
export function askForbidden(rng: Rng, world: World, turn: number): Asked {
  return ask(rng, pick(rng, world.forbidden), "mix", FORMATS[turn % FORMATS.length]);
}

export function rightOverWrong(rng: Rng, asked: Asked): Sides {
  return {
    prompt: asked.prompt,
    chosen: answer(rng, asked),
    rejected: answer(rng, asked, wrongSteps(rng, asked.target)),
  };
}

/** The right answer, but plain or in another format. */
function ignoring(rng: Rng, asked: Asked): string {
  if (rng.uniform() < 0.7) return plainAnswer(rng, asked.target.steps);
  return pick(
    rng,
    FORMATS.filter((format) => format !== asked.format),
  ).render(asked.target.steps);
}

function overRefusal(rng: Rng, asked: Asked): Sides {
  return {
    prompt: asked.prompt,
    chosen: answer(rng, asked),
    rejected: refusal(rng, asked.target),
  };
}

function refusalOverAnswer(rng: Rng, asked: Asked): Sides {
  return flip(overRefusal(rng, asked));
}

export function flip(sides: Sides): Sides {
  return { prompt: sides.prompt, chosen: sides.rejected, rejected: sides.chosen };
}
