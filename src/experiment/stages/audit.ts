import { join } from "node:path";

import { auditPairs } from "../../pairs/audit-pairs.ts";
import { openUnusableFile } from "../../pairs/unusable-file.ts";
import { writeFileAtomic } from "../../util/atomic-file.ts";
import type { ExperimentInputs } from "../experiment-inputs.ts";
import type { Experiment } from "../schema.ts";
import type { Stage } from "../stage.ts";

export const AUDIT_NAME = "audit.json";

/** `audit.json` and `unusable.jsonl`: what is in the pairs, before any compute. */
export function auditStage({ pairs }: Experiment, inputs: ExperimentInputs): Stage {
  return {
    kind: "audit",
    name: "",
    version: 1,
    settings: { source: pairs.source ?? null, columns: inputs.pairs.columns },
    inputs: { pairs: { content: inputs.pairs.contentHash } },
    run: async ({ directory, signal, progress }) => {
      const unusable = openUnusableFile(join(directory, "unusable.jsonl"));
      const report = await auditPairs(inputs.pairs, {
        onUnusable: (row) => unusable.add(row),
        progress: progress("rows"),
        signal,
      });
      await unusable.close();
      await writeFileAtomic(
        join(directory, AUDIT_NAME),
        `${JSON.stringify(report, undefined, 2)}\n`,
      );
    },
  };
}
