import { RuntimeError } from "../util/errors.ts";
import { errorCode } from "./cache-layout.ts";

/** The user's error for a cache that cannot be written; every other error as it is. */
export function describeDiskError(folder: string, error: unknown): unknown {
  const code = errorCode(error);
  if (["ENOSPC", "EDQUOT", "EFBIG"].includes(code)) {
    return new RuntimeError(`${folder}: the disk is full (${code})`, {
      hint: "Free some space or set HF_HOME to a larger disk, then run the same command again: it goes on where this one stopped.",
      cause: error,
    });
  }
  if (["EACCES", "EPERM", "EROFS", "ENOTDIR", "EEXIST", "ENAMETOOLONG"].includes(code)) {
    return new RuntimeError(`${folder}: the cache cannot be written (${code})`, {
      hint: "Check that you may write there, or set HF_HOME to a folder of your own.",
      cause: error,
    });
  }
  return error;
}
