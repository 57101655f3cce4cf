import type { Rollout } from "./rollouts.ts";

/** Samples that a rollout file seems to lack: of a variant every scenario should have as many as the one that has most. */
export interface LackingSamples {
  readonly samples: number;
  /** Scenarios in a variant that lack some. */
  readonly places: number;
  /** Scenarios in a variant, of all scenarios and variants in the file. */
  readonly of: number;
}

/** Counts samples by scenario and variant. Memory: a number for each of them. */
export function createSampleCounts(): {
  add(place: Pick<Rollout, "scenario" | "variant">): void;
  /** Undefined where none is lacking. */
  lacking(): LackingSamples | undefined;
} {
  const variants = new Map<string, Map<string, number>>();
  const scenarios = new Set<string>();
  return {
    add({ scenario, variant }) {
      const counts = variants.get(variant) ?? new Map<string, number>();
      variants.set(variant, counts);
      scenarios.add(scenario);
      counts.set(scenario, (counts.get(scenario) ?? 0) + 1);
    },
    lacking() {
      let [samples, places] = [0, 0];
      for (const counts of variants.values()) {
        const most = [...counts.values()].reduce((a, b) => Math.max(a, b), 0);
        for (const scenario of scenarios) {
          const lack = most - (counts.get(scenario) ?? 0);
          samples += lack;
          if (lack > 0) places++;
        }
      }
      return samples === 0 ? undefined : { samples, places, of: variants.size * scenarios.size };
    },
  };
}
