/**
 * @file What a command takes that does next to nothing: this build beside another one, in turn in the same run.
 *
 *   npm run build
 *   npx tsx bench/startup.ts OTHER [--runs 15] [--json FILE]
 *
 * OTHER is another checkout, installed and built. Processor time is compared, user and system, since other work on the machine moves it less
 * than the clock.
 */
import { execFileSync } from "node:child_process";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { inTurn, median, writeFindings } from "./support.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: "string", default: "15" }, json: { type: "string" } },
});
const [other] = positionals;
if (other === undefined) throw new Error("usage: npx tsx bench/startup.ts OTHER [--runs 15]");
const here = join(import.meta.dirname, "..");
const pairs = join(here, "organisms/distractor/pairs.jsonl.gz");
const JOBS = {
  "culprit --help": ["--help"],
  "culprit audit, 36 pairs": ["audit", pairs, "--limit", "36"],
};

/** Seconds of one process; the shell's second line of `times` has what its children took. */
function secondsOf(folder: string, words: readonly string[]): number {
  const script = '"$@" > /dev/null 2>&1 || exit 1; times';
  const command = [process.execPath, join(folder, "dist/cli/main.js"), ...words];
  const out = execFileSync("sh", ["-c", script, "sh", ...command], { encoding: "utf8" });
  const parts = [...out.split("\n")[1]!.matchAll(/(\d+)m([\d.]+)s/g)];
  return parts.reduce(
    (sum, [, minutes, seconds]) => sum + 60 * Number(minutes) + Number(seconds),
    0,
  );
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
print(`${cpus()[0]!.model}, Node ${process.version}, ${values.runs} runs.\n`);
print("| command | other, s | this, s | this by other | range |");
print("|---|---|---|---|---|");
const found: Record<string, number[]> = {};
for (const [name, words] of Object.entries(JOBS)) {
  const runs: { readonly theirs: number; readonly ours: number }[] = [];
  for (let run = 0; run < Number(values.runs); run++) {
    const [theirs, ours] = await inTurn(
      run,
      [other, here].map((folder) => () => secondsOf(folder, words)),
    );
    runs.push({ theirs: theirs!, ours: ours! });
  }
  const ratios = runs.map(({ theirs, ours }) => ours / theirs);
  found[name] = ratios;
  const middle = (of: "theirs" | "ours"): string => median(runs.map((run) => run[of])).toFixed(2);
  const range = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
  print(
    `| ${name} | ${middle("theirs")} | ${middle("ours")} | ${median(ratios).toFixed(2)} | ${range} |`,
  );
}
writeFindings(values.json, { rows: found });
