/** @file Whose a folder of steering is: what was asked for stands in it, so that no other request replaces what it found. */
import { existsSync, readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { z } from "zod";

import type { EngineIdentity } from "../engine/engine.ts";
import { expectSameSettings, isSameSettings } from "../rollouts/same-settings.ts";
import { jsonArtifact } from "../util/artifact.ts";
import { ConfigError, FormatError } from "../util/errors.ts";
import { hashBytes, hashValue } from "../util/hash.ts";
import { makeFolder } from "../util/make-folder.ts";
import { removeArms } from "./arm-files.ts";
import { LAYER_TABLE } from "./layer-table.ts";
import { steerSettings } from "./steer-settings.ts";
import { STEERING, type SteerOptions, type SteerRequest } from "./steering-report.ts";

/** What was asked for, in the output folder; every member is compared. */
export const STEERING_REQUEST = jsonArtifact(
  "request.json",
  "the request of a steering",
  z.record(z.string(), z.unknown()),
  { hint: "Choose another --out, or start over with --force." },
);
/** Raised by hand where arms of an earlier build no longer go on: --force then starts over, as with another request. */
const REQUEST_VERSION = 2;
/** What a judge keeps in the folder, maybe before the request stands there. */
const JUDGE = /^judge\b/;
const HINT = "Choose another folder.";

/** Throws ConfigError where `folder` is a file, or holds something and no request for steering. */
export function expectSteeringFolder(folder: string): void {
  const entries = listFolder(folder);
  if (entries.includes(STEERING_REQUEST.name)) return;
  const other = entries.find((name) => !JUDGE.test(name));
  if (other === undefined) return;
  throw new ConfigError(
    `${folder}: expected an empty folder, or one of culprit steer, got one with ${JSON.stringify(other)} and no ${STEERING_REQUEST.name}`,
    { hint: HINT },
  );
}

function listFolder(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  try {
    return readdirSync(folder);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const got = code === "ENOTDIR" ? "a file" : `one that cannot be read (${code})`;
    throw new ConfigError(`out: expected a folder, ${folder} is ${got}`, { hint: HINT, cause });
  }
}

export interface ClaimOptions extends SteerOptions {
  /**
   * Where another request stands in the folder, or this one with its report: remove what that left, and start over. What this request has
   * sampled and not finished stays. Default false: another request is refused.
   */
  readonly force?: boolean | undefined;
}

/**
 * Writes the request to the folder `out`, which is made. Throws ConfigError where the folder is none of steering, and, unless `force` is
 * set, where another request stands there, naming what differs.
 */
export async function claimSteeringFolder(
  identity: EngineIdentity,
  request: SteerRequest,
  { out, force = false, signal: _signal, progress: _progress, ...sampling }: ClaimOptions,
): Promise<void> {
  const path = join(out, STEERING_REQUEST.name);
  const settings = { ...describe(identity, request), sampling };
  expectSteeringFolder(out);
  if (existsSync(path)) {
    if (!force) expectSameSettings(out, await STEERING_REQUEST.read(path), settings);
    else if (!(await isUnfinished(out, path, settings))) await removeFound(out);
  }
  await makeFolder(out);
  await STEERING_REQUEST.write(path, settings);
}

/** Whether an earlier run of the same request left no report yet. */
async function isUnfinished(
  out: string,
  path: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<boolean> {
  if (existsSync(join(out, STEERING.name))) return false;
  try {
    return isSameSettings(await STEERING_REQUEST.read(path), settings);
  } catch (error) {
    if (error instanceof FormatError) return false; // not ours any more: to be replaced
    throw error;
  }
}

/** The report goes last: killed before that, the folder still counts as a finished one. Nothing else in the folder is touched. */
async function removeFound(out: string): Promise<void> {
  await removeArms(out);
  for (const name of [LAYER_TABLE.name, STEERING.name]) await rm(join(out, name), { force: true });
}

function describe(
  identity: EngineIdentity,
  request: SteerRequest,
): Readonly<Record<string, unknown>> {
  return {
    kind: "steering-request",
    version: REQUEST_VERSION,
    mode: request.mode,
    checkpointHash: identity.checkpointHash,
    templateHash: identity.templateHash,
    judge: request.judge.name,
    promptsHash: hashValue(request.prompts),
    layers: request.directions.map(({ layer }) => layer),
    directions: request.directions.map(({ vector }) =>
      hashBytes(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength)),
    ),
    ...steerSettings(request, identity),
  };
}
