import { join } from "node:path";

import { readJsonObject } from "./tokenizer-config.ts";

/** Keys of generation_config.json that change which tokens are sampled and that nothing here applies, with the values that change nothing. */
const NEUTRAL: Readonly<Record<string, readonly unknown[]>> = {
  repetition_penalty: [1],
  encoder_repetition_penalty: [1],
  no_repeat_ngram_size: [0],
  encoder_no_repeat_ngram_size: [0],
  suppress_tokens: [],
  begin_suppress_tokens: [],
  bad_words_ids: [],
  sequence_bias: [],
  forced_bos_token_id: [],
  forced_eos_token_id: [],
  min_length: [0],
  min_new_tokens: [0],
  min_p: [0],
  top_h: [],
  typical_p: [1],
  epsilon_cutoff: [0],
  eta_cutoff: [0],
  num_beams: [1],
  penalty_alpha: [0],
  guidance_scale: [1],
  exponential_decay_length_penalty: [],
  stop_strings: [],
  dola_layers: [],
  watermarking_config: [],
};
/** Characters of a value in a sentence. */
const MAX_VALUE = 40;

/**
 * What generation_config.json asks of sampling and is not done here: `repetition_penalty 1.5`, say. Temperature, top-p and top-k are
 * settings of ours and are not among them. Empty where there is no such file. Throws FormatError where it is no JSON object.
 */
export async function readUnapplied(dir: string): Promise<readonly string[]> {
  const config = (await readJsonObject(join(dir, "generation_config.json"))) ?? {};
  return Object.entries(NEUTRAL).flatMap(([key, neutral]) => {
    const value = config[key];
    const isEmpty = value === undefined || value === null || isEmptyList(value);
    return isEmpty || neutral.includes(value)
      ? []
      : [`${key} ${JSON.stringify(value).slice(0, MAX_VALUE)}`];
  });
}

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

/** A warning where there is any; none else. */
export function describeUnapplied(unapplied: readonly string[] | undefined): readonly string[] {
  if (unapplied === undefined || unapplied.length === 0) return [];
  return [
    `generation_config.json asks for ${unapplied.join(", ")}: sampling here does not do that; a server of the same folder may, and then answers otherwise`,
  ];
}
