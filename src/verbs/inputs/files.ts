import { z } from "zod";

/** @file Inputs that are files: verbs get their paths and read them, since most stream. */
import { BEHAVIOR_FILE } from "../../behavior/behavior-file.ts";
import { resolveDatasetFiles } from "../../hub/resolve-dataset-files.ts";
import { VERDICTS } from "../../judge/verdict.ts";
import type { ResolveRemote } from "../../pairs/expand-patterns.ts";
import { RESPONSES } from "../../pairs/response-pairs.ts";
import { ROLLOUTS } from "../../rollouts/rollouts.ts";
import { openStore, type VectorStore } from "../../store/open-store.ts";
import type { JobOptions } from "../../util/progress.ts";
import type { Input, OpenWork } from "../verb.ts";
import { noteColumns } from "./note-columns.ts";

type Described = Pick<Input, "placeholder" | "describe">;

/** One file; `artifact` is its name in the folder of the stage that made it. */
function fileInput<const D extends Described>(kind: string, artifact: string, described: D) {
  return {
    kind,
    artifact,
    ...described,
    open: (paths: readonly string[]): Promise<string> => Promise.resolve(paths[0]!),
  } as const satisfies Input<string>;
}

/** Several files. */
function filesInput<const D extends Described>(kind: string, artifact: string, described: D) {
  return {
    kind,
    artifact,
    ...described,
    isMany: true,
    open: (paths: readonly string[]): Promise<readonly string[]> => Promise.resolve(paths),
  } as const satisfies Input<readonly string[]>;
}

/** The path of rollouts, once it is said which of their columns nothing reads. */
export async function openRollouts(
  [path = ""]: readonly string[],
  work: OpenWork,
): Promise<string> {
  await noteColumns(path, "rollouts", work);
  return path;
}

export const rolloutsInput = {
  ...fileInput("rollouts", ROLLOUTS.name, {
    placeholder: "ROLLOUTS",
    describe: "One file of rollouts, as culprit generate writes it.",
  }),
  open: (paths: readonly string[], _settings: unknown, work: OpenWork): Promise<string> =>
    openRollouts(paths, work),
} as const satisfies Input<string>;

export const verdictsInput = fileInput("verdicts", VERDICTS.name, {
  placeholder: "VERDICTS",
  describe: "One file of verdicts, as culprit judge writes it.",
});

export const labelsInput = fileInput("labels", "labels.jsonl", {
  placeholder: "FILE",
  describe: 'What people said, rows {"rollout", "label": shows or not}; CSV or JSON lines.',
});

export const responsesInput = fileInput("responses", RESPONSES.name, {
  placeholder: "RESPONSES",
  describe: "One file of response pairs.",
});

export const behaviorInput = fileInput("behavior", BEHAVIOR_FILE.name, {
  placeholder: "FILE",
  describe: "A behaviour file, as culprit behavior writes it.",
});

export const behaviorsInput = filesInput("behavior", BEHAVIOR_FILE.name, {
  placeholder: "FILE",
  describe: "A behaviour file, as culprit behavior writes it; may be given several times.",
});

export const rankingInput = fileInput("ranking", "ranking.parquet", {
  placeholder: "RANKING",
  describe: "One ranking, as culprit rank --out writes it.",
});

export const editInput = fileInput("edit", "edit.json", {
  placeholder: "FILE",
  describe: "What culprit edit decided: the ids of the pairs to drop or swap.",
});

/** How readers of data files come to those that are on the hub, and end early. */
export const openingOptions = ({ download, signal }: Opening): OpeningOptions => ({
  resolveRemote: (uri) => resolveDatasetFiles(uri, download),
  signal,
});

type Opening = { readonly [K in "download" | "signal"]?: OpenWork[K] | undefined };
interface OpeningOptions extends Pick<JobOptions, "signal"> {
  readonly resolveRemote: ResolveRemote;
}

/** Any other file. */
export const otherFile = fileInput;

const storeSettings = z.strictObject({
  allowIncomplete: z
    .boolean()
    .default(false)
    .describe("Takes what is there of a store whose embedding has not ended."),
});

/** Says that vectors of unlike precision are taken together, where nothing else says it. */
export function warnOfMixedVectors(
  { directory, manifest, rows }: VectorStore,
  warn: (message: string) => void,
): void {
  const { refined } = manifest;
  if (refined === undefined) return;
  warn(
    `${directory}: ${refined.exactPairs} of ${rows} vectors are exact, the others of precision ${refined.precision}: what is said of all pairs rests on both`,
  );
}

/** A vector store, opened. */
export const storeInput = {
  kind: "store",
  placeholder: "STORE",
  describe: "One vector store, as culprit embed writes it.",
  settings: storeSettings,
  artifact: "vectors",
  open: async ([directory = ""], { allowIncomplete }, { warn }) => {
    const store = await openStore(directory, { allowIncomplete });
    if (store.completion === undefined) {
      warn(`${directory} is incomplete: it holds ${store.rows} pairs so far`);
    }
    return store;
  },
} as const satisfies Input<VectorStore, typeof storeSettings>;
