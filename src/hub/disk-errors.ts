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
  if (isUnwritable(error) || ["ENOTDIR", "EEXIST", "ENAMETOOLONG"].includes(code)) {
    return new RuntimeError(`${folder}: the cache cannot be written (${code})`, {
      hint: "Check that you may write there, or set HF_HOME to a folder of your own.",
      cause: error,
    });
  }
  return error;
}

/** Whether a folder may be read but not written. Node's recursive mkdir says ENOENT on a read-only file system. */
export function isUnwritable(error: unknown): boolean {
  const code = errorCode(error);
  if (code === "ENOENT") return (error as NodeJS.ErrnoException).syscall === "mkdir"; // a system error
  return ["EACCES", "EPERM", "EROFS"].includes(code);
}
