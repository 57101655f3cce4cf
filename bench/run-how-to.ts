/**
 * @file Runs the commands of a how-to as they are written: every `sh` block, in order, in one shell that stops at the first failure.
 *
 *   npm run build && npx tsx bench/run-how-to.ts docs/how-to-two-checkpoints.md
 *
 * Run it in the repository's root. Blocks of other languages (`yaml`, plain ones) are not run.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error("usage: see the head of this file");
const blocks = [...readFileSync(path, "utf8").matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(
  ([, commands = ""]) => commands,
);
if (blocks.length === 0) throw new Error(`${path}: expected sh blocks, got none`);
const script = ["set -eux", ...blocks].join("\n");
const { status } = spawnSync("bash", ["-c", script], { stdio: "inherit" });
process.stdout.write(`${path}: ${blocks.length} blocks, exit status ${status}\n`);
process.exitCode = status ?? 1;
