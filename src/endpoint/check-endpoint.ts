import { ConfigError } from "../util/errors.ts";

/** Throws ConfigError where the address of an endpoint is none, or has a password in it, which errors would print. */
export function checkAddress(baseUrl: string): void {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new ConfigError("endpoint: expected an address such as http://localhost:8000/v1", {
      hint: "The base URL is what stands before /chat/completions.",
    });
  }
  if (url.username === "" && url.password === "") return;
  throw new ConfigError("endpoint: expected an address without a name or password in it", {
    hint: "A key goes into an environment variable, which --api-key-env (apiKeyEnv in an experiment) names.",
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
