import { ConfigError } from "../util/errors.ts";

const HINT =
  "Give the address of Ray's dashboard, http://HOST:8265 say: jobs are submitted there, not at ray://HOST:10001.";

/** The dashboard's address as an URL without a path; a scheme may be left out. Throws ConfigError for anything else. */
export function clusterUrl(address: string): URL {
  const written = /^[\w.-]+:\d+\/?$/.test(address) ? `http://${address}` : address;
  const url = URL.canParse(written) ? new URL(written) : undefined;
  if (url !== undefined && ["http:", "https:"].includes(url.protocol) && url.pathname === "/") {
    return url;
  }
  throw new ConfigError(
    `address: expected http://HOST:PORT, got ${JSON.stringify(address.slice(0, 200))}`,
    { hint: HINT },
  );
}
