/**
 * @file Runs the commands of a how-to as they are written: every `sh` block, in order, in one shell that stops at the first failure.
 *
 *   npx tsx bench/run-how-to.ts docs/how-to-two-checkpoints.md
 *
 * Run it in the repository's root. Blocks of other languages (`yaml`, plain ones) are not run. Where a block has `npm run build`, dist/ is
 * made again, which is said first: tests and runs that use it at the same time see it change.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error("usage: see the head of this file");
const blocks = [...readFileSync(path, "utf8").matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(
  ([, commands = ""]) => commands,
);
if (blocks.length === 0) throw new Error(`${path}: expected sh blocks, got none`);
if (blocks.some((commands) => /\bnpm run build\b/.test(commands))) {
  process.stderr.write(`${path}: runs npm run build, which replaces dist/\n`);
}
const script = ["set -eux", ...blocks].join("\n");
const { status } = spawnSync("bash", ["-c", script], { stdio: "inherit" });
process.stdout.write(`${path}: ${blocks.length} blocks, exit status ${status}\n`);
process.exitCode = status ?? 1;
