import { stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import { z } from "zod";

import { RUN, type RunManifest } from "../runs/run-manifest.ts";
import { ConfigError, FormatError } from "../util/errors.ts";

/** What a report needs of the experiment's settings; everything else is shown as it stands. */
const settingsSchema = z.looseObject({
  pairs: z.looseObject({
    files: z.array(z.string()),
    shape: z.string().optional(),
    sourceColumn: z.string().optional(),
    keep: z.array(z.string()).optional(),
    limit: z.int().optional(),
    planted: z.string().optional(),
  }),
  checkpoints: z.looseObject({ before: z.string(), template: z.string().optional() }),
  /** `meaning` where people judge. */
  judge: z.looseObject({ meaning: z.string().optional() }).optional(),
});
export type RunSettings = z.output<typeof settingsSchema>;

/** The folder of a run, opened. */
export interface RunFolder {
  readonly path: string;
  readonly manifest: RunManifest;
  readonly settings: RunSettings;
  /** The folder of a finished stage, by its id; undefined where it is not done. */
  readonly stage: (id: string) => string | undefined;
  /** Ids of the finished stages of a kind. */
  readonly ofKind: (kind: string) => readonly string[];
  /** A path of the experiment file as it can be opened from here. */
  readonly at: (path: string) => string;
}

/** Opens what `culprit run` wrote; it may still be at work. Throws ConfigError where the folder holds no run. */
export async function openRunFolder(path: string): Promise<RunFolder> {
  const manifest = await RUN.find(join(path, RUN.name)).catch((error: unknown) => {
    throw error instanceof FormatError ? withMending(error, path, undefined) : error;
  });
  if (manifest === undefined) throw await noRun(path);
  const settings = settingsSchema.safeParse(manifest.experiment);
  if (!settings.success) {
    const fault = new FormatError(
      `${join(path, RUN.name)}: expected the settings of an experiment, got others at ${settings.error.issues[0]!.path.join(".")}`,
    );
    throw withMending(fault, path, manifest);
  }
  const done = manifest.stages.filter(
    ({ directory, cost }) => directory !== undefined && cost !== undefined,
  );
  const folders = new Map(done.map(({ id, directory }) => [id, join(path, directory!)]));
  const base = dirname(resolve(manifest.experimentFile));
  return {
    path,
    manifest,
    settings: settings.data,
    stage: (id) => folders.get(id),
    ofKind: (kind) => done.filter((each) => each.kind === kind).map(({ id }) => id),
    at: (file) => (file.startsWith("hf://") ? file : resolve(base, file)),
  };
}

/** Does something with a run's files; a FormatError for one of them then names the command that makes the file again. */
export async function readingRun<T>(run: RunFolder, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isOfRun = error instanceof FormatError && error.message.startsWith(run.path);
    throw isOfRun ? withMending(error, run.path, run.manifest) : error;
  }
}

/** The error with what to do where the file is one of an earlier version of Culprit, or was changed. */
function withMending(
  error: FormatError,
  path: string,
  manifest: RunManifest | undefined,
): FormatError {
  const command = `culprit run ${manifest?.experimentFile ?? "EXPERIMENT.yaml"} --out ${path}`;
  const stage = manifest?.stages.find(
    ({ directory }) => directory !== undefined && error.message.startsWith(join(path, directory)),
  );
  const made =
    stage === undefined
      ? `${command} writes it anew, and keeps finished stages`
      : `${command} --force-stage ${stage.id} makes it again`;
  return new FormatError(error.message, {
    hint: `It may be of an earlier version of Culprit: ${made}.`,
    cause: error,
  });
}

async function noRun(path: string): Promise<ConfigError> {
  const found = await stat(path).catch(() => undefined);
  const got =
    found === undefined
      ? "no such folder"
      : found.isDirectory()
        ? `one without ${RUN.name}`
        : "a file";
  return new ConfigError(`${path}: expected the folder of an experiment, got ${got}`, {
    hint: "culprit run makes such folders; --out names them, culprit-out/NAME without it.",
  });
}
