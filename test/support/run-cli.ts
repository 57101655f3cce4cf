import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

export interface CliResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  /** Called with the running process, for tests that disturb it. */
  readonly onStart?: (child: ChildProcess) => void;
  /** What follows `bash -c`, before the command itself: `ulimit -f 4`. */
  readonly before?: string;
}

/** Runs the built command line to its end. */
export function runCli(words: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  if (!existsSync(MAIN)) {
    throw new Error(
      "dist/cli/main.js is not there: these tests run the built command, `npm run build` first",
    );
  }
  const command = [process.execPath, MAIN, ...words];
  const child =
    options.before === undefined
      ? spawn(command[0]!, command.slice(1), { stdio: ["ignore", "pipe", "pipe"] })
      : spawn("bash", ["-c", `${options.before}; exec "$@"`, "bash", ...command], {
          stdio: ["ignore", "pipe", "pipe"],
        });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  options.onStart?.(child);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
