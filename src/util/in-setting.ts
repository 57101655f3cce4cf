import { ConfigError } from "./errors.ts";
import { CHECK_PATH } from "./read-fault.ts";

const CHECK_PATH_OF_FILE =
  "Check the path; a relative one counts from the folder of the experiment's file.";

/** Errors of readers name the file; this adds which setting named it. */
export async function inSetting<T>(setting: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw withSetting(setting, error);
  }
}

/** The same error with the setting before its message; errors that are not about settings stay as they are. */
export function withSetting(setting: string, error: unknown): Error {
  if (!(error instanceof ConfigError) || error.message.startsWith(`${setting}:`)) {
    return error as Error; // what our code throws
  }
  const hint = error.hint === CHECK_PATH ? CHECK_PATH_OF_FILE : error.hint;
  return new ConfigError(`${setting}: ${error.message}`, {
    hint,
    cause: error,
  });
}
