import { ConfigError } from "../util/errors.ts";
import type { EngineHost } from "./engine-host.ts";
import { localHost } from "./local-host.ts";
import { rayHost } from "./ray/ray-host.ts";

/** Every kind of engine; the first is the default. */
export const ENGINES: readonly [EngineHost, ...EngineHost[]] = [localHost, rayHost];

/** The host of that kind. Throws ConfigError where there is none. */
export function findEngine(engines: readonly EngineHost[], kind: string): EngineHost {
  const found = engines.find((host) => host.kind === kind);
  if (found !== undefined) return found;
  const kinds = engines.map((host) => host.kind).join(", ");
  throw new ConfigError(`kind: expected an engine, one of ${kinds}, got "${kind}"`);
}
