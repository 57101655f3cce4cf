/**
 * @file Time and peak memory of discovery at full size: npx tsx bench/discovery-memory.ts [PAIRS] [PROMPTS] [DIM] (default 378339, 2000,
 * 4096). Random states in 12 groups of prompts and a synthetic store of half precision, which takes 3.1 GB below the system's temporary folder and
 * is deleted at the end. The settings are those of culprit discover; reading the responses is left out. The work is done in a process
 * of its own, whose largest resident set is printed.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { discover as discoverClusters } from "../src/discovery/discover.ts";
import type { ResponseStates } from "../src/discovery/response-states.ts";
import { chooseSampleSize } from "../src/discovery/sample-size.ts";
import { createRng, discover, openStore } from "../src/index.ts";
import { SYNTHETIC_LAYER, writeSyntheticStore } from "./rank-store-synthetic.ts";

const GROUPS = 12;

async function job(directory: string, prompts: number, dim: number): Promise<void> {
  const store = await openStore(directory);
  const rng = createRng(1);
  // Drawing every number anew would take longer than the work.
  const pool = Float32Array.from({ length: 2 ** 20 }, () => rng.normal());
  const changes = Array.from({ length: GROUPS }, () => rng.integer(2 ** 19));
  const half = (isAfter: boolean): Float32Array => {
    const values = new Float32Array(prompts * dim);
    for (let p = 0; p < prompts; p++) {
      const [from, change] = [rng.integer(2 ** 19), changes[p % GROUPS]!];
      for (let j = 0; j < dim; j++) {
        values[p * dim + j] = pool[from + j]! + (isAfter ? 0.5 * pool[change + j]! : 0);
      }
    }
    return values;
  };
  const { boundary = "text", ...checkpoint } = store.manifest.checkpoint;
  const states: ResponseStates = {
    identity: { ...checkpoint, boundary, dim, maxPositions: 2048 },
    layers: [SYNTHETIC_LAYER],
    width: dim,
    prompts: Array.from({ length: prompts }, (_, p) => ({
      id: `${p}/base`,
      scenario: `${p}`,
      variant: "base",
      prompt: [{ role: "user", content: `prompt ${p}` }],
      before: ["no", "never"],
      after: ["yes", "always"],
    })),
    before: [half(false), half(false)],
    after: [half(true), half(true)],
    unusable: [],
    truncated: 0,
  };
  const start = performance.now();
  const options = { ...discover.settings.parse({}), ...chooseSampleSize(store, 1, {}) };
  const found = await discoverClusters(states, store, 0, options);
  const seconds = (performance.now() - start) / 1000;
  const peak = process.resourceUsage().maxRSS / 1e6;
  process.stdout.write(
    `${prompts} prompts x ${store.rows} pairs x ${dim}: ${found.clusters.length} clusters in ${seconds.toFixed(0)} s, peak ${peak.toFixed(2)} GB\n`,
  );
}

const [first = "378339", second = "2000", third = "4096", directory] = process.argv.slice(2);
if (directory === undefined) {
  const folder = mkdtempSync(join(tmpdir(), "discovery-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const store = join(folder, "store");
  await writeSyntheticStore(store, { rows: Number(first), dim: Number(third), shardRows: 2048 });
  const script = fileURLToPath(import.meta.url);
  execFileSync(process.execPath, ["--import", "tsx", script, first, second, third, store], {
    stdio: "inherit",
  });
} else await job(directory, Number(second), Number(third));
