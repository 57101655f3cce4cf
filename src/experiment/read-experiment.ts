import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";

import { LineCounter, parseDocument } from "yaml";

import { isHubUri } from "../hub/hub-uri.ts";
import { ConfigError } from "../util/errors.ts";
import { hashText } from "../util/hash.ts";
import { describeReadFault } from "../util/read-fault.ts";
import { describeIssues } from "../util/schema-errors.ts";
import { experimentSchema } from "./schema.ts";
import type { Experiment } from "./sections.ts";

/** An experiment file, read and checked. */
export interface ExperimentFile {
  /** As the user named it. */
  readonly path: string;
  readonly experiment: Experiment;
  /** SHA-256 of the file's bytes. */
  readonly sha256: string;
  /** A path of the experiment as this process can open it; `hf://` addresses stay as they are. */
  readonly at: (path: string) => string;
}

const HINT = "An experiment is a YAML file; examples/ has some.";

/** Faults that one message shows. */
const MAX_FAULTS = 5;

/**
 * Reads a YAML experiment file. Throws ConfigError with every fault's place, line, expectation and value, or where the file cannot
 * be read.
 */
export async function readExperiment(path: string): Promise<ExperimentFile> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw describeReadFault(path, error, HINT);
  });
  const experiment = parseExperiment(text, path);
  const folder = dirname(resolve(path));
  return {
    path,
    experiment,
    sha256: hashText(text),
    at: (each) => (isHubUri(each) || each.startsWith("hf://") ? each : resolve(folder, each)),
  };
}

/** The same experiment with the training seeds 1 to `count`. */
export function withTrainingSeeds(file: ExperimentFile, count: number): ExperimentFile {
  const { experiment } = file;
  if (experiment.train === undefined) return file;
  const seeds = Array.from({ length: count }, (_, i) => i + 1);
  return { ...file, experiment: { ...experiment, train: { ...experiment.train, seeds } } };
}

/** Parses the text of an experiment file; `where` names it in errors. Throws ConfigError. */
export function parseExperiment(text: string, where: string): Experiment {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [broken] = document.errors;
  if (broken !== undefined) {
    const { line, col } = lines.linePos(broken.pos[0]);
    throw new ConfigError(`${where}: line ${line}, column ${col}: ${broken.message}`, {
      hint: HINT,
    });
  }
  const parsed = experimentSchema.safeParse(document.toJS());
  if (parsed.success) return parsed.data;
  const faults = describeIssues(parsed.error.issues, experimentSchema, { document, lines });
  const shown = faults.slice(0, MAX_FAULTS);
  const more = faults.length - shown.length;
  throw new ConfigError(
    `${where}: ${shown.join("\n  ")}${more > 0 ? `\n  and ${more} more` : ""}`,
    { hint: "culprit run --settings lists every setting; --schema gives the JSON Schema." },
  );
}
