import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";

import { ConfigError } from "../util/errors.ts";
import type { JobOptions } from "../util/progress.ts";

/** The environment variables that Python's huggingface_hub reads too, with the same meaning. */
export interface HubEnvironment {
  /** Folder of the token file and the cache; default `~/.cache/huggingface`. */
  readonly HF_HOME?: string | undefined;
  /** Folder of the cache itself; default `$HF_HOME/hub`. */
  readonly HF_HUB_CACHE?: string | undefined;
  readonly HF_TOKEN?: string | undefined;
  /** File that holds the token; default `$HF_HOME/token`. */
  readonly HF_TOKEN_PATH?: string | undefined;
  /** Address of the hub or of a mirror; default https://huggingface.co. */
  readonly HF_ENDPOINT?: string | undefined;
  /** 1, on, yes or true: never ask the network. */
  readonly HF_HUB_OFFLINE?: string | undefined;
  readonly XDG_CACHE_HOME?: string | undefined;
}

/** How often and how patiently one request is tried. */
export interface RetryPolicy {
  /** Attempts in a row that bring nothing new before giving up; default 5. */
  readonly tries: number;
  /** Wait before the second attempt in milliseconds, doubled each time; default 500. A server's Retry-After goes first. */
  readonly firstDelayMs: number;
  /** A connection that brings no byte for so long counts as cut; default 30,000. */
  readonly idleTimeoutMs: number;
}

/** Options of everything that may ask the hub. */
export interface HubOptions extends JobOptions {
  /** Default: the process's environment. */
  readonly env?: HubEnvironment | undefined;
  /** Default: Node's own; give another one to go through a proxy. */
  readonly fetch?: typeof fetch | undefined;
  readonly retry?: Partial<RetryPolicy> | undefined;
}

/** The environment, read once. */
export interface HubSettings {
  /** Without a trailing slash. */
  readonly endpoint: string;
  readonly cacheFolder: string;
  readonly token: string | undefined;
  readonly isOffline: boolean;
}

/** Reads endpoint, cache folder, token and offline switch; throws ConfigError on an endpoint or token that cannot be. */
export async function readHubSettings(env: HubEnvironment): Promise<HubSettings> {
  const home =
    given(env.HF_HOME) ??
    join(given(env.XDG_CACHE_HOME) ?? join(homedir(), ".cache"), "huggingface");
  const token =
    given(env.HF_TOKEN) ??
    given(await readTokenFile(expandHome(given(env.HF_TOKEN_PATH) ?? join(home, "token"))));
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw new ConfigError("HF_TOKEN: expected printable ASCII without blanks", {
      hint: "Copy the token again from https://huggingface.co/settings/tokens.",
    });
  }
  return {
    endpoint: parseEndpoint(given(env.HF_ENDPOINT) ?? "https://huggingface.co"),
    cacheFolder: expandHome(given(env.HF_HUB_CACHE) ?? join(home, "hub")),
    token,
    isOffline: ["1", "ON", "YES", "TRUE"].includes((given(env.HF_HUB_OFFLINE) ?? "").toUpperCase()),
  };
}

function parseEndpoint(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url?.username === "" && url.password === "" && url.search === "";
  if (!isPlain || !["http:", "https:"].includes(url.protocol)) {
    throw new ConfigError(`HF_ENDPOINT: expected an http(s) address, got "${text}"`, {
      hint: "Unset it for https://huggingface.co, or give a mirror such as https://hub.example.org.",
    });
  }
  return url.href.replace(/#.*$/, "").replace(/\/+$/, "");
}

async function readTokenFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code; // fs errors carry one
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new ConfigError(`${path}: the token file cannot be read (${code})`, { cause: error });
  }
}

/** An empty variable counts as unset, as in Python's library. */
function given(value: string | undefined): string | undefined {
  const trimmed = value?.trim();
  return trimmed === "" ? undefined : trimmed;
}

function expandHome(path: string): string {
  return resolve(path.replace(/^~(?=$|[/\\])/, homedir()));
}
