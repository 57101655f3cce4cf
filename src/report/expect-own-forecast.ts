import { join } from "node:path";

import type { Forecast } from "../forecast/forecast-file.ts";
import { VECTORS } from "../store/open-store.ts";
import { ConfigError } from "../util/errors.ts";
import type { RunFolder } from "./run-folder.ts";

/**
 * Throws ConfigError where a forecast is of other pairs than those of the run, or was made on another checkpoint: it would stand in the
 * report as if it spoke of this training. The checkpoint is known once the pairs are embedded.
 */
export async function expectOwnForecast(run: RunFolder, forecast: Forecast): Promise<void> {
  if (forecast.pairs.contentHash !== run.manifest.inputs["pairs"]) {
    throw new ConfigError("forecast: expected one of the pairs of the run, got one of others", {
      hint: "Embed the same files with the settings of the experiment's section pairs, and forecast from that store.",
    });
  }
  const embedded = run.stage("embed");
  if (embedded === undefined) return;
  const { manifest } = await VECTORS.read(join(embedded, VECTORS.name));
  const { name, checkpointHash } = manifest.checkpoint;
  if (forecast.checkpoint.checkpointHash === checkpointHash) return;
  throw new ConfigError(
    `forecast: expected one made on ${name}, the run's checkpoint before, got one on another (${forecast.checkpoint.name})`,
    { hint: "Forecast from a store of the checkpoint that the training of the run starts from." },
  );
}
