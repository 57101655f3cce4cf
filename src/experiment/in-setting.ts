import { ConfigError } from "../util/errors.ts";

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
  return new ConfigError(`${setting}: ${error.message}`, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    cause: error,
  });
}
