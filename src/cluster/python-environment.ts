/** @file A Python with Ray and what the worker needs, in a folder of its own. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

import { writeFileAtomic } from "../util/atomic-file.ts";
import { RuntimeError, UnsupportedError } from "../util/errors.ts";
import { hashFile } from "../util/hash.ts";
import { REQUIREMENTS } from "./worker-package.ts";

const execute = promisify(execFile);
const LEAST = [3, 10] as const;
/** What an installation that came to its end leaves, with the hash of what was asked for. */
const MARK = "culprit-requirements";

/** The version of a Python, or undefined where there is none that is new enough. */
export async function pythonVersion(python: string): Promise<string | undefined> {
  const words = ["-c", "import sys; print(*sys.version_info[:3], sep='.')"];
  const said = await execute(python, words).catch(() => undefined);
  const version = said?.stdout.trim();
  const [major = 0, minor = 0] = (version ?? "").split(".").map(Number);
  const isNew = major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1]);
  return isNew ? version : undefined;
}

/**
 * Makes a virtual environment with the worker's requirements, or takes the one that is there. Throws UnsupportedError without Python
 * 3.10, RuntimeError where something cannot be installed.
 */
export async function makeEnvironment(
  folder: string,
  how: {
    readonly python: string;
    /** Lines of what is going on. */
    readonly note: (line: string) => void;
    readonly signal: AbortSignal | undefined;
  },
): Promise<void> {
  const asked = await hashFile(REQUIREMENTS);
  const made = await readFile(join(folder, MARK), "utf8").catch(() => undefined);
  if (made === asked) return;
  const version = await pythonVersion(how.python);
  if (version === undefined) {
    throw new UnsupportedError(
      `${how.python}: expected Python ${LEAST.join(".")} or newer, got none`,
      {
        hint: "Install one and name it by --python.",
      },
    );
  }
  how.note(
    `making ${folder} with Python ${version}: Ray, PyTorch, transformers, up to some gigabytes, once`,
  );
  await run(how.python, ["-m", "venv", folder], how);
  await run(
    join(folder, "bin", "python"),
    ["-m", "pip", "install", "--quiet", "-r", REQUIREMENTS],
    how,
  );
  await writeFileAtomic(join(folder, MARK), asked);
}

/** PATH with the environment's programs first. */
export const pathWith = (environment: string): string =>
  `${join(environment, "bin")}${delimiter}${process.env["PATH"] ?? ""}`;

async function run(
  program: string,
  words: readonly string[],
  { signal }: { readonly signal: AbortSignal | undefined },
): Promise<void> {
  const child = spawn(program, words, { stdio: ["ignore", "ignore", "pipe"], signal });
  let errors = "";
  child.stderr
    .setEncoding("utf8")
    .on("data", (text: string) => (errors = (errors + text).slice(-4000)));
  const [code] = (await once(child, "close")) as [number | null];
  if (code === 0) return;
  throw new RuntimeError(`${program} ${words.join(" ")}: ended with ${code}: ${errors.trim()}`, {
    hint: "Mend what it says, then run the same command again.",
  });
}
