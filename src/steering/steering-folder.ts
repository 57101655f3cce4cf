/** @file Whose a folder of steering is: what was asked for stands in it, so that no other request replaces what it found. */
import { existsSync, readdirSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

import type { EngineIdentity } from "../engine/engine.ts";
import { expectSameSettings, isSameSettings } from "../rollouts/same-settings.ts";
import { writeFileAtomic } from "../util/atomic-file.ts";
import { ConfigError } from "../util/errors.ts";
import { hashBytes, hashValue } from "../util/hash.ts";
import { removeArms } from "./arm-files.ts";
import { STEERING_LAYERS } from "./layer-table.ts";
import { steerSettings } from "./steer-settings.ts";
import { STEERING_REPORT } from "./steer.ts";
import type { SteerOptions, SteerRequest } from "./steering-report.ts";

/** What was asked for, in the output folder. */
export const STEERING_REQUEST = "request.json";
/** Raised by hand where arms of an earlier build no longer go on: --force then starts over, as with another request. */
const REQUEST_VERSION = 2;
/** What a judge keeps in the folder, maybe before the request stands there. */
const JUDGE = /^judge\b/;
const HINT = "Choose another folder.";

/** Throws ConfigError where `folder` is a file, or holds something and no request for steering. */
export function expectSteeringFolder(folder: string): void {
  const entries = listFolder(folder);
  if (entries.includes(STEERING_REQUEST)) return;
  const other = entries.find((name) => !JUDGE.test(name));
  if (other === undefined) return;
  throw new ConfigError(
    `${folder}: expected an empty folder, or one of culprit steer, got one with ${JSON.stringify(other)} and no ${STEERING_REQUEST}`,
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
  const path = join(out, STEERING_REQUEST);
  const settings = { ...describe(identity, request), sampling };
  expectSteeringFolder(out);
  if (existsSync(path)) {
    const text = await readFile(path, "utf8");
    if (!force) expectSameSettings(out, parse(path, text), settings);
    else if (!isUnfinished(out, text, settings)) await removeFound(out);
  }
  await mkdir(out, { recursive: true });
  await writeFileAtomic(path, `${JSON.stringify(settings, undefined, 2)}\n`);
}

/** Whether an earlier run of the same request left no report yet. */
function isUnfinished(
  out: string,
  text: string,
  settings: Readonly<Record<string, unknown>>,
): boolean {
  if (existsSync(join(out, STEERING_REPORT))) return false;
  try {
    return isSameSettings(parse(STEERING_REQUEST, text), settings);
  } catch {
    return false; // not ours any more: to be replaced
  }
}

/** The report goes last: killed before that, the folder still counts as a finished one. Nothing else in the folder is touched. */
async function removeFound(out: string): Promise<void> {
  await removeArms(out);
  for (const name of [STEERING_LAYERS, STEERING_REPORT]) await rm(join(out, name), { force: true });
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

function parse(path: string, text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>; // every member is compared
  } catch (cause) {
    throw new ConfigError(`${path}: not valid JSON`, {
      cause,
      hint: "Choose another folder, or start over with --force.",
    });
  }
}
