/**
 * @file What `culprit demo` takes: this build beside another one, in turn in the same run.
 *
 *   npm run build
 *   npx tsx bench/demo-speed.ts OTHER [--runs 3] [--json FILE]
 *
 * OTHER is another checkout, installed and built. The clock is compared; processor time, which other work on the machine moves less, stands beside
 * it. Each run writes to a folder of its own, so that no stage is found in a cache.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { inTurn, median, writeFindings } from "./support.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: "string", default: "3" }, json: { type: "string" } },
});
const [other] = positionals;
if (other === undefined) throw new Error("usage: npx tsx bench/demo-speed.ts OTHER [--runs 3]");
const here = join(import.meta.dirname, "..");

interface Took {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

function runDemo(folder: string): Took {
  const work = mkdtempSync(join(tmpdir(), "culprit-bench-"));
  try {
    const command = [process.execPath, join(folder, "dist/cli/main.js"), "demo"];
    const script = '"$@" > /dev/null 2>&1 || exit 1; times';
    const start = performance.now();
    const given = ["-c", script, "sh", ...command, "--out", join(work, "run")];
    const out = execFileSync("sh", given, { encoding: "utf8" });
    const seconds = (performance.now() - start) / 1000;
    // The shell's second line of `times` has what its children took.
    const parts = [...out.split("\n")[1]!.matchAll(/(\d+)m([\d.]+)s/g)];
    const cpuSeconds = parts.reduce((sum, [, min, sec]) => sum + 60 * Number(min) + Number(sec), 0);
    return { seconds, cpuSeconds };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const runs: { readonly theirs: Took; readonly ours: Took }[] = [];
for (let run = 0; run < Number(values.runs); run++) {
  const [theirs, ours] = await inTurn(run, [() => runDemo(other), () => runDemo(here)]);
  runs.push({ theirs: theirs!, ours: ours! });
}
console.log(`${cpus()[0]!.model}, Node ${process.version}, ${values.runs} runs.\n`);
console.log("| time | other, s | this, s | this by other | range |\n|---|---|---|---|---|");
const ratiosOf = (of: keyof Took): number[] =>
  runs.map(({ ours, theirs }) => ours[of] / theirs[of]);
for (const [name, of] of [
  ["by the clock", "seconds"],
  ["of the processor", "cpuSeconds"],
] as const) {
  const ratios = ratiosOf(of);
  const middle = (side: "theirs" | "ours"): string =>
    median(runs.map((run) => run[side][of])).toFixed(2);
  const range = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
  console.log(
    `| ${name} | ${middle("theirs")} | ${middle("ours")} | ${median(ratios).toFixed(2)} | ${range} |`,
  );
}
writeFindings(values.json, {
  rows: { demo: ratiosOf("seconds"), "demo, processor": ratiosOf("cpuSeconds") },
});
