/** @file Whether a rollout file is the one that an endpoint was asked for before, with the same settings. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";

import { rolloutManifestPath } from "./rollouts.ts";
import { expectSameSettings } from "./same-settings.ts";

/**
 * Throws ConfigError where `path` or its manifest is there and was not made with `settings`: a foreign file, a checkpoint's rollouts, those
 * of another endpoint or model.
 */
export async function expectOwnRollouts(
  path: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<void> {
  const manifest = rolloutManifestPath(path);
  const there = [path, manifest].find((each) => existsSync(each));
  if (there === undefined) return;
  const found = existsSync(manifest) ? parse(await readFile(manifest, "utf8")) : undefined;
  expectSameSettings(there, found, settings);
}

/** Undefined where the text is no manifest. */
function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json !== "object" || json === null || Array.isArray(json)) return undefined;
    return "promptsHash" in json ? { ...json } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
