import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { hashBytes } from "../util/hash.ts";
import { packageFile } from "../util/package-file.ts";
import { writeZip } from "./write-zip.ts";

/** The Python code that runs on a cluster, as Ray takes it. */
export interface WorkerPackage {
  /** `gcs://_ray_pkg_<hash>.zip`; the same code has the same name. */
  readonly uri: string;
  /** SHA-256 of the archive, hex. */
  readonly hash: string;
  readonly bytes: Uint8Array;
}

const FOLDER = packageFile("workers/ray/culprit_worker/");

/** Where the worker's requirements stand, for people. */
export const REQUIREMENTS = fileURLToPath(packageFile("workers/ray/requirements.txt"));

/** Reads the worker package of this version of Culprit. */
export async function readWorkerPackage(): Promise<WorkerPackage> {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith(".py")).toSorted();
  const entries = await Promise.all(
    names.map(async (name) => ({
      name: `culprit_worker/${name}`,
      bytes: await readFile(new URL(name, FOLDER)),
    })),
  );
  const bytes = writeZip(entries);
  const hash = hashBytes(bytes);
  return { uri: `gcs://_ray_pkg_${hash.slice(0, 32)}.zip`, hash, bytes };
}
