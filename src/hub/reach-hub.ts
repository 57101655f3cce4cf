import { createHubConnection } from "./hub-connection.ts";
import { printable } from "./hub-errors.ts";
import { type HubOptions, readHubSettings } from "./hub-settings.ts";

/** Whether the hub answers, and under which settings it is asked. */
export interface HubReach {
  readonly endpoint: string;
  readonly cacheFolder: string;
  readonly isOffline: boolean;
  readonly hasToken: boolean;
  /** Why the hub cannot be asked; undefined where it answers, or is not asked as HF_HUB_OFFLINE is set. */
  readonly unreachable?: string | undefined;
  /** The status with which the token was refused; undefined where it was taken, or there is none. */
  readonly refused?: number | undefined;
}

/** A hub that does not answer within this time is of no use for downloads either. */
const PATIENCE_MS = 10_000;

/** Asks the hub who the token's owner is, which needs no repository. Throws ConfigError where HF_ENDPOINT or the token cannot be. */
export async function reachHub(options: HubOptions = {}): Promise<HubReach> {
  const settings = await readHubSettings(options.env ?? process.env);
  const { endpoint, cacheFolder, isOffline, token } = settings;
  const reach = { endpoint, cacheFolder, isOffline, hasToken: token !== undefined };
  if (isOffline) return reach;
  const { fetch } = createHubConnection(settings, options);
  const patience = AbortSignal.timeout(PATIENCE_MS);
  try {
    const { status } = await fetch(`${endpoint}/api/whoami-v2`, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      redirect: "manual", // the token goes to the endpoint alone
      signal: options.signal === undefined ? patience : AbortSignal.any([options.signal, patience]),
    });
    if (status >= 500) return { ...reach, unreachable: `HTTP ${status}` };
    const isRefused = token !== undefined && (status === 401 || status === 403);
    return isRefused ? { ...reach, refused: status } : reach;
  } catch (error) {
    options.signal?.throwIfAborted();
    return { ...reach, unreachable: printable(innermost(error)) };
  }
}

/** fetch says "fetch failed" of everything; its cause says why. */
function innermost(error: unknown): string {
  let at = error;
  while (at instanceof Error && at.cause !== undefined) at = at.cause;
  if (at instanceof AggregateError && at.errors.length > 0) [at] = at.errors as unknown[];
  return at instanceof Error ? at.message : String(at);
}
