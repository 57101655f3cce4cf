import { join } from "node:path";

import { AUDIT } from "../../pairs/audit-report.ts";
import { definePart } from "../report-part.ts";

/** What is in the pairs. */
export const auditPart = definePart({
  name: "audit",
  read: async ({ run }) => {
    const folder = run.stage("audit");
    return folder === undefined ? undefined : AUDIT.read(join(folder, AUDIT.name));
  },
});
