/** @file Samples that an endpoint gave no answer to: in no rollout file, and yet to be counted. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";

import { z } from "zod";

import { FormatError } from "../util/errors.ts";
import { rolloutManifestPath } from "./rollouts.ts";

/** A sample that got no answer; `rollout` is the id that it would have. */
export interface FailedSample {
  readonly rollout: string;
  readonly scenario: string;
  readonly variant: string;
  readonly sample: number;
  /** Of its prompt. */
  readonly group?: string | undefined;
}

/** It as a missing verdict. */
export interface AbsentRollout extends FailedSample {
  readonly missing: string;
}

/** What the manifest of such rollouts calls itself. */
export const ENDPOINT_ROLLOUTS = "endpoint-rollouts";

const MANIFEST = z.object({
  kind: z.literal(ENDPOINT_ROLLOUTS),
  absent: z
    .array(
      z.object({
        rollout: z.string(),
        scenario: z.string(),
        variant: z.string(),
        sample: z.int().nonnegative(),
        group: z.string().exactOptional(),
        missing: z.string().min(1),
      }),
    )
    .default([]),
});

export const absentRollout = (place: FailedSample, cause: string): AbsentRollout => ({
  ...place,
  missing: `not sampled: ${cause}`,
});

/**
 * The samples that failed when the rollouts of a file were made, by its manifest; none for rollouts that are no endpoint's. Throws
 * FormatError where the manifest cannot be read.
 */
export async function readAbsentRollouts(path: string): Promise<readonly AbsentRollout[]> {
  const manifest = rolloutManifestPath(path);
  if (!existsSync(manifest)) return [];
  let json: unknown;
  try {
    json = JSON.parse(await readFile(manifest, "utf8"));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new FormatError(`${manifest}: not valid JSON`, { cause });
  }
  const parsed = MANIFEST.safeParse(json);
  return parsed.success ? parsed.data.absent : [];
}
