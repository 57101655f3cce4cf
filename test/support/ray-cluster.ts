/**
 * @file A real Ray head on this machine for tests, and whether there can be one. CULPRIT_RAY_VENV names an environment with the packages of
 * workers/ray/requirements.txt; else .venv/ray is made, once, by $PYTHON (default python3).
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { freePort } from "../../src/cluster/free-port.ts";
import { makeEnvironment, pythonVersion } from "../../src/cluster/python-environment.ts";
import { type Head, startHead } from "../../src/cluster/start-head.ts";

export const TOKEN = "a-token-of-tests-with-more-than-32-letters";
const GIVEN = process.env["CULPRIT_RAY_VENV"];
const ENVIRONMENT = GIVEN ?? fileURLToPath(new URL("../../.venv/ray", import.meta.url));
const PYTHON = process.env["PYTHON"] ?? "python3";

/** Why there can be no cluster here; undefined where there can. */
export async function noCluster(): Promise<string | undefined> {
  if (GIVEN !== undefined && existsSync(`${GIVEN}/bin/ray`)) return undefined;
  if ((await pythonVersion(PYTHON)) !== undefined) return undefined;
  return `no tests on a cluster: ${PYTHON} is not Python 3.10 or newer`;
}

/** Starts a head with two processors; with `ports`, one in the place of another that has died. */
export async function startTestHead(ports?: Ports): Promise<{ head: Head; ports: Ports }> {
  if (GIVEN === undefined) {
    const note = (line: string): void => void process.stderr.write(`${line}\n`);
    await makeEnvironment(ENVIRONMENT, { python: PYTHON, note, signal: undefined });
  }
  const found = ports ?? { port: await freePort(), nodePort: await freePort() };
  const head = await startHead({ environment: ENVIRONMENT, token: TOKEN, cpus: 2, ...found });
  return { head, ports: found };
}

export interface Ports {
  readonly port: number;
  readonly nodePort: number;
}
