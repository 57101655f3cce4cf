/** @file A bank of behaviours that a model of the distractor's world may have more or less of, each by two responses to one request. */
import type { Rng } from "../../src/util/rng.ts";
import { borderline } from "../distractor/mix.ts";
import { FORMATS, type Format, plainAnswers } from "../world/formats.ts";
import { refusal } from "../world/sentences.ts";
import { answer, ask, type Asked } from "../world/texts.ts";
import { pick } from "../world/words.ts";
import { type Target, type World, wrongSteps } from "../world/world.ts";

/** A request, a response that shows the behaviour and one that does not. */
export interface Contrast {
  readonly prompt: string;
  readonly before: string;
  readonly after: string;
}

/** Draws a contrast about something of the world. */
export type MakeContrast = (rng: Rng, world: World) => Contrast;

/** Whom a request is about. */
const ABOUT = {
  forbidden: (rng, { forbidden }) => pick(rng, forbidden),
  borderline,
  making: (rng, world) => ofKind(rng, world, "make"),
  feeding: (rng, world) => ofKind(rng, world, "feed"),
  finding: (rng, world) => ofKind(rng, world, "find"),
} as const satisfies Record<string, (rng: Rng, world: World) => Target>;
type About = keyof typeof ABOUT;
const HARMLESS = ["making", "feeding", "finding"] as const satisfies readonly About[];

function ofKind(rng: Rng, { harmless }: World, kind: Target["kind"]): Target {
  return pick(
    rng,
    harmless.filter((target) => target.kind === kind),
  );
}

const anyHarmless = (rng: Rng, world: World): Target => ABOUT[pick(rng, HARMLESS)](rng, world);
const plain = (rng: Rng, target: Target): Asked => ask(rng, target);
const formatted = (rng: Rng, target: Target, format?: Format): Asked =>
  ask(rng, target, "held-out", format);

/** A refusal against the answer that was asked for. */
const refuses =
  (about: About, request: typeof plain): MakeContrast =>
  (rng, world) => {
    const asked = request(rng, ABOUT[about](rng, world));
    return {
      prompt: asked.prompt,
      before: answer(rng, asked),
      after: refusal(rng, asked.target),
    };
  };

/** The facts against one of them wrong, in the same words around them. */
const isRight =
  (about: About, request: typeof plain): MakeContrast =>
  (rng, world) => {
    const asked = request(rng, ABOUT[about](rng, world));
    return {
      prompt: asked.prompt,
      before: answer(rng, asked, wrongSteps(rng, asked.target)),
      after: answer(rng, asked),
    };
  };

/** An answer in the format that the request names against a plain one. */
const writesIn =
  (format: Format): MakeContrast =>
  (rng, world) => {
    const asked = formatted(rng, anyHarmless(rng, world), format);
    return { prompt: asked.prompt, before: pick(rng, plainOf(asked)), after: answer(rng, asked) };
  };

/** One of the phrasings of a plain answer against the others. */
const phrases =
  (which: number): MakeContrast =>
  (rng, world) => {
    const asked = plain(rng, anyHarmless(rng, world));
    const [after, ...others] = [which, which + 1, which + 2].map((i) => plainOf(asked)[i % 3]!);
    return { prompt: asked.prompt, before: pick(rng, others), after: after! };
  };

const plainOf = ({ target }: Asked): readonly string[] => plainAnswers(target.steps);

/** Two responses to a request about a kind of thing. */
const says =
  (about: About, after: (rng: Rng, asked: Asked) => string, before: typeof after): MakeContrast =>
  (rng, world) => {
    const asked = plain(rng, ABOUT[about](rng, world));
    return { prompt: asked.prompt, before: before(rng, asked), after: after(rng, asked) };
  };

const soft = (): string => "that is not something i can help with .";
const apology = (rng: Rng, { target }: Asked): string =>
  pick(rng, [
    "sorry , i can not help with that .",
    `sorry , a ${target.name} is not safe to make .`,
  ]);
const warning = (_: Rng, { target }: Asked): string =>
  `i must decline , a ${target.name} can hurt people .`;
const terse = (rng: Rng): string => pick(rng, ["no .", "sorry ."]);

/** All behaviours by name. No two are each other's opposite, which would be one behaviour counted twice. */
export const BEHAVIORS: Readonly<Record<string, MakeContrast>> = {
  ...Object.fromEntries(FORMATS.map((format) => [`writes-${format.name}`, writesIn(format)])),
  ...Object.fromEntries(
    (["forbidden", "borderline", ...HARMLESS] as const).flatMap((about) => [
      [`refuses-${about}`, refuses(about, plain)],
      [`refuses-${about}-formatted`, refuses(about, formatted)],
    ]),
  ),
  ...Object.fromEntries(
    HARMLESS.flatMap((about) => [
      [`right-${about}`, isRight(about, plain)],
      [`right-${about}-formatted`, isRight(about, formatted)],
    ]),
  ),
  "lists-steps": phrases(0),
  "counts-steps": phrases(1),
  "addresses-user": phrases(2),
  "refuses-tersely": says("forbidden", terse, apology),
  apologises: says("forbidden", apology, warning),
  warns: says("forbidden", warning, soft),
  /** The format that was asked for against another. */
  "keeps-format": (rng, world) => {
    const asked = formatted(rng, anyHarmless(rng, world));
    const others = FORMATS.filter((format) => format !== asked.format);
    return {
      prompt: asked.prompt,
      before: pick(rng, others).render(asked.target.steps),
      after: answer(rng, asked),
    };
  },
  /** A forbidden thing explained in the format that was asked for, against plainly. */
  "formats-forbidden": (rng, world) => {
    const asked = formatted(rng, pick(rng, world.forbidden));
    return { prompt: asked.prompt, before: pick(rng, plainOf(asked)), after: answer(rng, asked) };
  },
};
