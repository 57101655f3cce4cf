import { existsSync } from "node:fs";
import { dirname } from "node:path";

import { ConfigError } from "../index.ts";

/** Throws ConfigError where the folder of --out is missing, or one of the files is there and may not be replaced. */
export function checkOutputFiles(paths: readonly [string, ...string[]], isForced: boolean): void {
  const folder = dirname(paths[0]);
  if (!existsSync(folder)) throw new ConfigError(`${folder}: no such folder for --out`);
  const existing = isForced ? undefined : paths.find((path) => existsSync(path));
  if (existing !== undefined) {
    throw new ConfigError(`${existing}: exists already`, {
      hint: "Choose another --out, or replace it with --force.",
    });
  }
}
