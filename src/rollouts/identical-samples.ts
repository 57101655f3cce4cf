import { rolloutId, type Rollout } from "./rollouts.ts";

/** Prompts with several samples, and those of them whose samples are all of one text. */
export interface IdenticalSamples {
  readonly same: number;
  readonly of: number;
}

/** Counts prompts whose samples do not differ. */
export interface IdenticalCounter {
  /** `text` is the response, or a hash of it. */
  add(place: Pick<Rollout, "scenario" | "variant">, text: string): void;
  counts(): IdenticalSamples;
}

/** Makes a counter. Memory: a text for each scenario and variant. */
export function createIdenticalCounter(): IdenticalCounter {
  const seen = new Map<string, { readonly text: string; samples: number; isSame: boolean }>();
  return {
    add(place, text) {
      const key = rolloutId(place, 0);
      const known = seen.get(key);
      if (known === undefined) {
        seen.set(key, { text, samples: 1, isSame: true });
        return;
      }
      known.samples++;
      if (known.text !== text) known.isSame = false;
    },
    counts() {
      const several = [...seen.values()].filter(({ samples }) => samples > 1);
      return { same: several.filter(({ isSame }) => isSame).length, of: several.length };
    },
  };
}

/** From this share on it is the server that does not sample, not a model that is sure. */
const SUSPICIOUS = 0.9;

/** The warning that samples do not differ; none where that is what temperature 0 does, or some differ. */
export function warnOfIdentical(
  path: string,
  { same, of }: IdenticalSamples,
  temperature: number | undefined,
): readonly string[] {
  if (temperature === 0 || of === 0 || same < SUSPICIOUS * of) return [];
  const at = temperature === undefined ? "" : ` at temperature ${temperature}`;
  return [
    `${path}: the samples of ${same} of ${of} prompts are all the same text${at}: the server does not seem to sample, and rates and intervals count copies of one answer; transformers serve samples only where the checkpoint's generation_config.json has do_sample: true (docs/servers.md)`,
  ];
}
