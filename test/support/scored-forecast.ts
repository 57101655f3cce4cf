/** @file A forecast on the pairs of a run, scored: made by the code that culprit forecast runs, of directions and shifts that nobody measured. */
import { join } from "node:path";

import { BEHAVIOR_FILE, readBehavior } from "../../src/behavior/behavior-file.ts";
import type { Forecast } from "../../src/forecast/forecast-file.ts";
import { makeForecast } from "../../src/forecast/make-forecast.ts";
import { pickBehaviors } from "../../src/forecast/pick-behaviors.ts";
import { scoreForecast } from "../../src/forecast/score-forecast.ts";
import { openRunFolder } from "../../src/report/run-folder.ts";
import { openStore, VECTORS } from "../../src/store/open-store.ts";
import { createRng } from "../../src/util/rng.ts";
import { HOSTILE } from "./report-run.ts";

/**
 * Twelve behaviours along random directions of the run's own layer, some with hostile names. Their shifts follow the mean projection of
 * the pairs with noise, so that there are hits and misses; one interval has 0 in it.
 */
export async function makeScoredForecast(run: string): Promise<Forecast> {
  const folder = await openRunFolder(run);
  const store = await openStore(join(folder.stage("embed")!, VECTORS.name));
  const own = await readBehavior(join(folder.stage("behavior")!, BEHAVIOR_FILE.name));
  const rng = createRng(17);
  const behaviors = Array.from({ length: 12 }, (_, i) => {
    const drawn = {
      ...own,
      name: i < HOSTILE.length ? `${HOSTILE[i]} ${i}` : `writes-${i}`,
      directions: new Map(
        [...own.directions].map(([layer, direction]) => [
          layer,
          Float32Array.from(direction, () => rng.normal()),
        ]),
      ),
    };
    return { ...drawn, read: () => Promise.resolve(drawn) };
  });
  const [layer] = own.directions.keys();
  const forecast = await makeForecast(pickBehaviors([store], behaviors, [layer!]), {
    seed: 1,
    threads: 1,
  });
  const moves = forecast.behaviors.map(({ values }) => values["states.projection"]!.value);
  const size = Math.max(...moves.map(Math.abs));
  return {
    ...forecast,
    score: scoreForecast(
      forecast,
      {
        format: "culprit-shifts",
        version: 1,
        checkpoint: forecast.checkpoint,
        trained: { name: `dpo ${HOSTILE[0]}`, checkpointHash: "m1" },
        training: undefined, // of which the report has to speak
        behaviors: forecast.behaviors.map(({ name }, i) => {
          const shift = moves[i]! / size + rng.normal() / 2;
          const half = i === 6 ? Math.abs(shift) + 1 : Math.abs(shift) / 2;
          const [before, low, high] = [rng.normal(), shift - half, shift + half];
          return {
            name,
            margin: { before, after: before + shift, shift, low, high, items: 8, groups: 8 },
            tokens: rng.normal(),
            unusable: 0,
          };
        }),
      },
      { holdout: "leave-one-out", lambda: 1, replicates: 200 },
    ),
  };
}
