import { rm } from "node:fs/promises";

import { z } from "zod";

import { importRollouts, type LeftOut } from "../rollouts/import-rollouts.ts";
import { rolloutManifestPath } from "../rollouts/rollout-manifest.ts";
import type { Rollout } from "../rollouts/rollouts.ts";
import { writeJsonLines } from "../util/atomic-file.ts";
import { ConfigError } from "../util/errors.ts";
import { otherFile } from "./inputs/files.ts";
import { noteColumns } from "./inputs/note-columns.ts";
import { defineVerb } from "./verb.ts";

/** How many rollouts were imported, and where they are. */
export interface Imported {
  readonly out: string;
  readonly rollouts: number;
  /** Responses that are none, by cause. */
  readonly leftOut: Readonly<Partial<Record<LeftOut, number>>>;
}

export const importing = defineVerb({
  name: "import",
  summary: "Responses of another program, checked, as a rollout file",
  about: `
RESPONSES has rows {"prompt": text or messages, "response": text or "responses": [text], "id"?, "scenario"?, "variant"?,
"finish"?, "tokens"?, "group"?, "tags"?} (JSONL, JSON, CSV, Parquet). Rows with one scenario and variant are samples of one
prompt, numbered as they come. finish is a server's word for how a response ended; where a row has none, it is "unknown".
What is written is what culprit generate writes and culprit judge reads, without a manifest.

  culprit import answers.jsonl --out before.jsonl`,
  version: 2,
  inputs: {
    responses: {
      ...otherFile("sampled", "sampled.jsonl", {
        placeholder: "RESPONSES",
        describe: "One file of prompts with responses.",
      }),
      isPositional: true,
    },
  },
  settings: z.strictObject({}),
  outputs: {
    out: {
      // No manifest is written; one that stands there belongs to the rollouts that are replaced.
      artifact: { name: "rollouts.jsonl", files: (path) => [path, rolloutManifestPath(path)] },
      placeholder: "FILE",
      describe: "The rollouts to write, JSON lines.",
    },
  },
  run: async ({ responses }, _settings, work): Promise<Imported> => {
    const { out, signal } = { ...work, ...work.out };
    let rollouts = 0;
    const leftOut: Partial<Record<LeftOut, number>> = {};
    const onLeftOut = (why: LeftOut): void => void (leftOut[why] = (leftOut[why] ?? 0) + 1);
    const counted = async function* (): AsyncGenerator<Rollout> {
      for await (const rollout of importRollouts(responses, { signal, onLeftOut })) {
        rollouts++;
        yield rollout;
      }
      if (rollouts === 0) throw new ConfigError(`${responses}: expected responses, got none`);
    };
    await writeJsonLines(out, counted());
    await rm(rolloutManifestPath(out), { force: true });
    await noteColumns(responses, "responses", work);
    return { out, rollouts, leftOut };
  },
  show: ({ out, rollouts }) => `${out}: ${rollouts} rollouts imported`,
  warnings: ({ leftOut }) =>
    Object.entries(leftOut).map(
      ([why, number]) => `${number} responses left out: ${why}; they are in no rate`,
    ),
});
