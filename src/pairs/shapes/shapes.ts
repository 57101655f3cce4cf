import { hhRlhf } from "./hh-rlhf.ts";
import { implicitPrompt } from "./implicit-prompt.ts";
import { olmoMix } from "./olmo-mix.ts";
import type { Shape } from "./shape.ts";
import { sharegpt } from "./sharegpt.ts";
import { trlConversational } from "./trl-conversational.ts";
import { trlStandard } from "./trl-standard.ts";

/** The ways of writing preference pairs that are known; a new one is a file beside this one and a line in each list. */
export const PAIR_SHAPES = [
  "trl-standard",
  "trl-conversational",
  "implicit-prompt",
  "olmo-mix",
  "hh-rlhf",
  "sharegpt",
] as const;
export type PairShape = (typeof PAIR_SHAPES)[number];

export const SHAPES: { readonly [S in PairShape]: Shape } = {
  "trl-standard": trlStandard,
  "trl-conversational": trlConversational,
  "implicit-prompt": implicitPrompt,
  "olmo-mix": olmoMix,
  "hh-rlhf": hhRlhf,
  sharegpt,
};
