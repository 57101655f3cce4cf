/**
 * @file Peak memory of `culprit embed` on a growing number of pairs: it must not grow with them. Linux only (reads /proc).
 *
 *   npx tsx bench/embed-memory.ts --model DIR --pairs FILE.jsonl.gz [--limits 283,566,1132,2264] [--layers 20] [--threads 2]
 *     [--precision F32,INT8] [--json FILE]
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { writeFindings } from "./support.ts";

/** VmHWM is a high-water mark that the kernel keeps: only the last look before the end counts. */
const POLL_MS = 50;

const { values } = parseArgs({
  options: {
    model: { type: "string" },
    pairs: { type: "string" },
    limits: { type: "string", default: "283,566,1132,2264" },
    layers: { type: "string", default: "20" },
    threads: { type: "string", default: "2" },
    precision: { type: "string", default: "F32" },
    json: { type: "string" },
  },
});
const { model, pairs } = values;
if (model === undefined || pairs === undefined) throw new Error("usage: see the head of this file");

async function peakMegabytes(
  limit: string,
  precision: string,
): Promise<{ megabytes: number; pairs: number }> {
  const work = mkdtempSync(join(tmpdir(), "culprit-bench-"));
  try {
    const args = ["--checkpoint", model!, "--layers", values.layers, "--out", join(work, "store")];
    const child = spawn(
      process.execPath,
      [
        "dist/cli/main.js",
        "embed",
        pairs!,
        ...args,
        "--limit",
        limit,
        "--threads",
        values.threads,
        "--precision",
        precision,
        "--quiet",
        "--json",
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    let kilobytes = 0;
    const timer = setInterval(() => {
      kilobytes = Math.max(kilobytes, highWaterMark(child.pid));
    }, POLL_MS);
    let out = "";
    for await (const chunk of child.stdout) out += String(chunk);
    clearInterval(timer);
    return {
      megabytes: (kilobytes * 1024) / 1e6,
      pairs: (JSON.parse(out) as { pairs: number }).pairs,
    };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function highWaterMark(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0);
  } catch {
    return 0; // the process has ended between two looks
  }
}

console.log("| pairs | precision | peak RSS, MB |\n|---|---|---|");
const found: Record<string, number[]> = {};
for (const limit of values.limits.split(",")) {
  for (const precision of values.precision.split(",")) {
    const peak = await peakMegabytes(limit, precision);
    found[`${precision}, peak MB`] = [...(found[`${precision}, peak MB`] ?? []), peak.megabytes];
    console.log(`| ${peak.pairs} | ${precision} | ${peak.megabytes.toFixed(0)} |`);
  }
}
writeFindings(values.json, { rows: found });
