/**
 * @file Time and peak memory of a forecast at full size: npx tsx bench/forecast-memory.ts [PAIRS] [BEHAVIOURS] [DIM] [NULLS] (default 378339,
 * 32, 4096, 64). A synthetic store of half precision, which takes 3.1 GB below the system's temporary folder, and behaviour files of 150
 * scenarios and so many null directions at nine layers each, of which the forecast needs one: 31 MB each. Both are deleted at the end. `culprit forecast`
 * runs in a process of its own, whose largest resident set is printed, with prompts of the pairs at hand, every second pair a prompt's second.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { forecast, openStore, silentWork } from "../src/index.ts";
import type { PairSet } from "../src/pairs/open-pairs.ts";
import { SYNTHETIC_LAYER, writeSyntheticStore } from "./rank-store-synthetic.ts";
import { writeSyntheticBehaviors } from "./synthetic-behaviors.ts";

const LAYERS = Array.from({ length: 9 }, (_, i) => SYNTHETIC_LAYER - 4 + i);

const [first = "378339", second = "32", third = "4096", fourth = "64", folder] =
  process.argv.slice(2);
if (folder === undefined) await prepare();
else await job(folder);

async function prepare(): Promise<void> {
  const made = mkdtempSync(join(tmpdir(), "forecast-"));
  process.once("exit", () => rmSync(made, { recursive: true, force: true }));
  const dim = Number(third);
  await writeSyntheticStore(join(made, "store"), { rows: Number(first), dim, shardRows: 2048 });
  const shape = { count: Number(second), nulls: Number(fourth), layers: LAYERS };
  await writeSyntheticBehaviors(made, join(made, "store"), shape);
  const script = fileURLToPath(import.meta.url);
  execFileSync(process.execPath, ["--import", "tsx", script, first, second, third, fourth, made], {
    stdio: "inherit",
  });
}

async function job(made: string): Promise<void> {
  const files = readdirSync(made).filter((name) => name.endsWith(".safetensors"));
  const store = await openStore(join(made, "store"));
  const given = {
    store: [store],
    behavior: files.map((name) => join(made, name)),
    pairs: pairsOf(store.rows, store.manifest.pairs.contentHash),
  };
  const start = performance.now();
  const settings = forecast.settings.parse({ layers: `${SYNTHETIC_LAYER}` });
  // Of the pairs prompts and hash are read and nothing else; the work has no outputs, since nothing is written.
  const found = await forecast.run(given as never, settings, silentWork({}) as never);
  const seconds = (performance.now() - start) / 1000;
  const peak = process.resourceUsage().maxRSS / 1e6;
  process.stdout.write(
    `${found.behaviors.length} behaviours x ${store.rows} pairs x ${third}: ${found.cells.length} cells in ${seconds.toFixed(0)} s, peak ${peak.toFixed(2)} GB\n`,
  );
}

/** Pairs with the ids of the synthetic store; two of each prompt. */
function pairsOf(count: number, contentHash: string): Pick<PairSet, "read" | "contentHash"> {
  return {
    contentHash,
    read: async function* () {
      for (let row = 0; row < count; row++) {
        const id = `synthetic/preference-mix/${row.toString(16).padStart(16, "0")}`;
        const prompt = [{ role: "user", content: `prompt ${Math.floor(row / 2)}` }];
        yield { kind: "pair", id, prompt, chosen: [], rejected: [], row, file: "f" } as never; // all that is read
      }
    },
  };
}
