import { ConfigError } from "../util/errors.ts";

/** Throws ConfigError where the address of an endpoint is none, or has a password in it, which errors would print. */
export function checkAddress(baseUrl: string): void {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    // Before an @ there may be a password.
    const got = baseUrl.includes("@") ? "another text" : JSON.stringify(baseUrl.slice(0, 100));
    throw new ConfigError(
      `endpoint: expected an address such as http://localhost:8000/v1, got ${got}`,
      {
        hint: "The base URL is what stands before /chat/completions, http:// or https:// included.",
      },
    );
  }
  if (url.username === "" && url.password === "") return;
  throw new ConfigError("endpoint: expected an address without a name or password in it", {
    hint: "A key goes into an environment variable, which --api-key-env (apiKeyEnv beside baseUrl in an experiment) names.",
  });
}

/** The key without space around it. Throws ConfigError, which does not show it, where a header cannot hold it. */
export function checkKey(apiKey: string | undefined): string | undefined {
  const key = apiKey?.trim();
  if (key === undefined || /^[\x21-\x7e]+$/.test(key)) return key;
  throw new ConfigError("endpoint: expected a key of one word in plain letters, got another text", {
    hint: "Look for a line break or a space within the key.",
  });
}

/** As names of variables usually are, and keys never. */
const VARIABLE = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/;

/**
 * The key in an environment variable; undefined where none is named. Throws ConfigError naming `setting` where the variable is not set;
 * what may be a key itself is not shown.
 */
export function keyOfVariable(setting: string, variable: string | undefined): string | undefined {
  if (variable === undefined) return undefined;
  const key = process.env[variable];
  if (key !== undefined && key.trim() !== "") return key;
  const got = !VARIABLE.test(variable)
    ? "another text"
    : `${variable}, which is ${key === undefined ? "not set" : "empty"}`;
  throw new ConfigError(`${setting}: expected the name of a variable that is set, got ${got}`, {
    hint: "Set the variable to the key and name it here: the key itself never stands in a command or file.",
  });
}
