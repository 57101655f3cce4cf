import { join } from "node:path";

import { BEHAVIOR_REPORT } from "../../behavior/behavior-file.ts";
import { definePart } from "../report-part.ts";

/** The behaviour's vector: what is known of each layer. Pairs that could not be used are counted in it, not listed. */
export const behaviorPart = definePart({
  name: "behavior",
  read: async ({ run }) => {
    const folder = run.stage("behavior");
    if (folder === undefined) return undefined;
    const found = await BEHAVIOR_REPORT.find(join(folder, BEHAVIOR_REPORT.name));
    if (found === undefined) return undefined; // skipped
    const { unusable: _, ...report } = found;
    return report;
  },
});
