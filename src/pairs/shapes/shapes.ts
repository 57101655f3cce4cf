import { hhRlhf } from "./hh-rlhf.ts";
import { implicitPrompt } from "./implicit-prompt.ts";
import { olmoMix } from "./olmo-mix.ts";
import type { Shape } from "./shape.ts";
import { sharegpt } from "./sharegpt.ts";
import { trlConversational } from "./trl-conversational.ts";
import { trlStandard } from "./trl-standard.ts";

/** The ways of writing preference pairs that are known; a new one is a file beside this one and a line here. */
export const SHAPES = {
  "trl-standard": trlStandard,
  "trl-conversational": trlConversational,
  "implicit-prompt": implicitPrompt,
  "olmo-mix": olmoMix,
  "hh-rlhf": hhRlhf,
  sharegpt,
} as const satisfies Readonly<Record<string, Shape>>;
export type PairShape = keyof typeof SHAPES;

export const PAIR_SHAPES = Object.keys(SHAPES) as readonly PairShape[]; // keys of a fixed object
