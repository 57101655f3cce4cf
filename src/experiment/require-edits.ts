import { join } from "node:path";

import { AUDIT } from "../pairs/audit-report.ts";
import { ConfigError } from "../util/errors.ts";
import type { Experiment } from "./sections.ts";

/**
 * Throws ConfigError naming the setting where an edit asks for more pairs than the audit counted, or for a source that it did not
 * see: the edit itself comes hours later. Pairs that turn out to have no vector are not known yet.
 */
export async function requireEdits(
  { edits }: Pick<Experiment, "edits">,
  auditFolder: string,
): Promise<void> {
  if (edits.length === 0) return;
  const { usable, sources: seen } = await AUDIT.read(join(auditFolder, AUDIT.name));
  for (const [i, { action, top, sources = "auto", by }] of edits.entries()) {
    const most = action === "filter" ? usable - 1 : usable;
    const beyond = [top].flat().find((each) => each !== "planted" && each > most);
    if (beyond !== undefined) {
      const left = action === "filter" ? ", so that some are left" : "";
      throw new ConfigError(
        `edits[${i}].top: expected at most ${most} of the ${usable} usable pairs${left}, got ${beyond}`,
      );
    }
    if (action !== "drop-source" || sources === "auto" || by !== undefined) continue;
    const known = seen.map(({ source }) => source);
    const unknown = sources.find((name) => !known.includes(name));
    if (unknown === undefined) continue;
    throw new ConfigError(
      `edits[${i}].sources: expected sources of the pairs, got ${JSON.stringify(unknown.slice(0, 60))}`,
      { hint: `There are: ${known.slice(0, 20).join(", ").slice(0, 400)}.` },
    );
  }
}
