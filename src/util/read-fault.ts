import { ConfigError } from "./errors.ts";

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  ENOTDIR: "no such file, a part of the path is a file itself",
  EISDIR: "expected a file, got a folder",
  EACCES: "expected a file that you may read, got one without that right (EACCES)",
  EPERM: "expected a file that you may read, got one without that right (EPERM)",
  ELOOP: "expected a file, got links that lead in a circle (ELOOP)",
  ENAMETOOLONG: "expected the name of a file, got one that is too long",
};

/** Where a path is one of the command line; one in an experiment counts from elsewhere, and inSetting says so. */
export const CHECK_PATH = "Check the path; it counts from the folder that you are in.";

/** Why a file could not be opened, as a ConfigError that starts with `where`; other errors as they are. */
export function describeReadFault(where: string, error: unknown, hint?: string): unknown {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  const words = code === undefined ? undefined : WORDS[code];
  if (words === undefined) return error;
  return new ConfigError(`${where}: ${words}`, {
    hint: hint ?? CHECK_PATH,
    cause: error,
  });
}

/** Undefined where a file is not there; other errors are thrown again. */
export function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
  throw error;
}
