/** @file What is said of an engine that runs on a cluster and means nothing to one of this process. */
import { ConfigError } from "../util/errors.ts";

/** What only engines on a cluster take. */
export interface ClusterOptions {
  /** Of the cluster's dashboard, http://HOST:8265. */
  readonly address?: string | undefined;
  /** A folder that this machine and every node see under the same path. */
  readonly storage?: string | undefined;
  /** Workers at most, each with a copy of the weights; default: as many as the cluster has room for. */
  readonly workers?: number | undefined;
  /** "local": what trains runs in this process. Default: training is refused. */
  readonly training?: "local" | undefined;
}

/** Their names. */
export const CLUSTER_OPTIONS = ["address", "storage", "workers", "training"] as const;

/** Throws ConfigError where settings of a cluster are given to an engine that runs in this process. */
export function expectNoCluster(options: ClusterOptions): void {
  for (const name of CLUSTER_OPTIONS) {
    if (options[name] === undefined) continue;
    throw new ConfigError(`${name}: expected engine ray with it, got local`, {
      hint: `${name} means nothing here: leave it out, or say kind: ray (--engine ray).`,
    });
  }
}
