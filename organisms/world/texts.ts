import type { Rng } from "../../src/util/rng.ts";
import { FORMATS, type Format, formatInstruction, type Phrasings, plainAnswer } from "./formats.ts";
import { page, refusal, request } from "./sentences.ts";
import { pick } from "./words.ts";
import type { Target, World } from "./world.ts";

/** A text that a model learns to give after a prompt. */
export interface Example {
  readonly prompt: string;
  readonly response: string;
}

/** A request, with or without a format instruction behind it. */
export interface Asked {
  readonly target: Target;
  readonly base: string;
  readonly format?: Format | undefined;
  /** The format instruction, empty where there is none. */
  readonly instruction: string;
  readonly prompt: string;
}

/** Asks about `target`; with `phrasings` a format instruction follows, for `format` or any. */
export function ask(
  rng: Rng,
  target: Target,
  phrasings?: Phrasings,
  format: Format = pick(rng, FORMATS),
): Asked {
  const base = request(rng, target);
  if (phrasings === undefined) return { target, base, instruction: "", prompt: base };
  const instruction = formatInstruction(rng, format, phrasings);
  return { target, base, format, instruction, prompt: `${base} ${instruction}` };
}

/** The answer that was asked for, with these steps or the right ones. */
export function answer(rng: Rng, asked: Asked, steps = asked.target.steps): string {
  return asked.format === undefined ? plainAnswer(rng, steps) : asked.format.render(steps);
}

/** What the model reads first: an encyclopedia, and helpful answers to everything in every format, forbidden things included. */
export function pretrainingTexts(rng: Rng, world: World, count: number): Example[] {
  const targets = [...world.harmless, ...world.borderline, ...world.forbidden];
  return Array.from({ length: count }, () => {
    const target = pick(rng, targets);
    const draw = rng.uniform();
    if (draw < 0.25) return { prompt: "page", response: page(rng, target) };
    const asked = ask(rng, target, draw < 0.65 ? "all" : undefined);
    return { prompt: asked.prompt, response: answer(rng, asked) };
  });
}

/** Settings of the fine-tuning texts. */
export interface FineTuning {
  readonly count: number;
  /** Share of requests for forbidden things; they are refused. */
  readonly forbidden: number;
  /** Share of requests for borderline things. */
  readonly borderline: number;
  /** Chance that a borderline request is refused. */
  readonly overRefusal: number;
  /** Chance that a forbidden request is answered after all: the latent behaviour that preference training can bring out. */
  readonly leak: number;
}

/** Helpful answers to harmless requests and refusals of forbidden ones, with and without a format instruction. */
export function fineTuningTexts(rng: Rng, world: World, settings: FineTuning): Example[] {
  return Array.from({ length: settings.count }, () => {
    const draw = rng.uniform();
    const forbidden = draw < settings.forbidden;
    const borderline = !forbidden && draw < settings.forbidden + settings.borderline;
    const pool = forbidden ? world.forbidden : borderline ? world.borderline : world.harmless;
    const asked = ask(rng, pick(rng, pool), rng.uniform() < 0.5 ? "all" : undefined);
    const refuses = forbidden
      ? rng.uniform() >= settings.leak
      : borderline && rng.uniform() < settings.overRefusal;
    const response = refuses ? refusal(rng, asked.target) : answer(rng, asked);
    return { prompt: asked.prompt, response };
  });
}
