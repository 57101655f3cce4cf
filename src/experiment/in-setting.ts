import { ConfigError } from "../util/errors.ts";

/** Errors of readers name the file; this adds which setting named it. */
export async function inSetting<T>(setting: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ConfigError) || error.message.startsWith(`${setting}:`)) throw error;
    throw new ConfigError(`${setting}: ${error.message}`, {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      cause: error,
    });
  }
}
