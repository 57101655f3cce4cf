import { readFile } from "node:fs/promises";

import { ConfigError } from "../util/errors.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The bearer token for a cluster, as Ray's own tools take it: RAY_AUTH_TOKEN, or the file that RAY_AUTH_TOKEN_PATH names; undefined
 * where neither is set. Throws ConfigError where the file cannot be read or is empty; the token itself is never shown.
 */
export async function readAuthToken(
  environment: Environment = process.env,
): Promise<string | undefined> {
  const { RAY_AUTH_TOKEN: token, RAY_AUTH_TOKEN_PATH: path } = environment;
  if (token !== undefined && token.trim() !== "") return token.trim();
  if (path === undefined || path === "") return undefined;
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new ConfigError(`RAY_AUTH_TOKEN_PATH: ${path}: cannot be read (${error.code})`, {
      hint: "Correct the path, or set RAY_AUTH_TOKEN.",
      cause: error,
    });
  });
  if (text.trim() !== "") return text.trim();
  throw new ConfigError(`RAY_AUTH_TOKEN_PATH: ${path}: expected a token, the file is empty`);
}
