/** @file Whose a folder of steering is: what was asked for stands in it, so that no other request replaces what it found. */
import { existsSync, readdirSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { expectSameSettings } from "../data/same-settings.ts";
import type { EngineIdentity } from "../engine/engine.ts";
import { writeFileAtomic } from "../util/atomic-file.ts";
import { ConfigError } from "../util/errors.ts";
import { hashBytes, hashValue } from "../util/hash.ts";
import { steerSettings } from "./steer-settings.ts";
import type { SteerOptions, SteerRequest } from "./steering-report.ts";

/** What was asked for, in the output folder. */
export const STEERING_REQUEST = "request.json";
/** What a judge keeps in the folder, maybe before the request stands there. */
const JUDGE = /^judge\b/;
const HINT = "Choose another --out, or use the folder nevertheless with --force.";

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
    throw new ConfigError(`${folder}: expected a folder for --out, got ${got}`, {
      hint: "Choose another --out.",
      cause,
    });
  }
}

/**
 * Writes the request to the folder `out`, which is made. Throws ConfigError, which names what differs, where another request stands there,
 * unless `force` is set.
 */
export async function claimSteeringFolder(
  identity: EngineIdentity,
  request: SteerRequest,
  { out, force = false, signal: _signal, progress: _progress, ...sampling }: SteerOptions,
): Promise<void> {
  const path = join(out, STEERING_REQUEST);
  const settings = { ...describe(identity, request), sampling };
  if (!force) {
    expectSteeringFolder(out);
    if (existsSync(path))
      expectSameSettings(out, parse(path, await readFile(path, "utf8")), settings);
  }
  await mkdir(out, { recursive: true });
  await writeFileAtomic(path, `${JSON.stringify(settings, undefined, 2)}\n`);
}

function describe(
  identity: EngineIdentity,
  request: SteerRequest,
): Readonly<Record<string, unknown>> {
  return {
    kind: "steering-request",
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
    throw new ConfigError(`${path}: not valid JSON`, { cause, hint: HINT });
  }
}
