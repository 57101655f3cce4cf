import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { RUN } from "../runs/run-manifest.ts";
import { ConfigError } from "../util/errors.ts";

/** What a run that was killed before it wrote its manifest may have left. */
const OWN_BEGINNINGS = /^(?:stages|cache|writer\.lock.*|.*\.partial)$/;

/**
 * Throws ConfigError unless `out` is free for the experiment `name`: not there, empty, or its own from an earlier run. A run replaces
 * files such as result.json, which must not be somebody else's.
 */
export async function expectOwnFolder(out: string, name: string): Promise<void> {
  const entries = await listFolder(out);
  if (entries.length === 0) return;
  const hint = "Choose another --out, or remove the folder.";
  if (!entries.includes(RUN.name)) {
    const foreign = entries.find((entry) => !OWN_BEGINNINGS.test(entry));
    if (foreign === undefined) return;
    throw new ConfigError(
      `${out}: expected a new folder or one of this experiment, got one that holds ${JSON.stringify(foreign)} and no ${RUN.name}`,
      { hint },
    );
  }
  const owner = readOwner(await readFile(join(out, RUN.name), "utf8"));
  if (owner === name) return;
  const got = owner === undefined ? `another program's ${RUN.name}` : `the experiment ${owner}`;
  throw new ConfigError(`${out}: expected the experiment ${name}, got ${got}`, { hint });
}

async function listFolder(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException; // what readdir throws
    if (code === "ENOENT") return [];
    if (code !== "ENOTDIR") throw error;
    throw new ConfigError(`${path}: expected a folder, got a file`, {
      hint: "Choose another --out.",
      cause: error,
    });
  }
}

/** The name of the experiment that a manifest belongs to; undefined where it is no manifest of a run. */
function readOwner(text: string): string | undefined {
  try {
    const manifest = JSON.parse(text) as { format?: unknown; name?: unknown } | null; // members are checked
    return manifest?.format === "culprit-run" && typeof manifest.name === "string"
      ? manifest.name
      : undefined;
  } catch {
    return undefined;
  }
}
