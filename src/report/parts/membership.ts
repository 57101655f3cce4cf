import { join } from "node:path";

import { type ReadMeasuredPair, readMeasured } from "../../membership/read-measured.ts";
import { MEASURED_NAME } from "../../membership/write-measured.ts";
import { AUDIT } from "../../pairs/audit-report.ts";
import { groupName, NO_GROUP } from "../../ranking/group-column.ts";
import { definePart } from "../report-part.ts";

/** Whether the checkpoint after was trained on the pairs, and what training did to each claimed pair. */
export const membershipPart = definePart({
  name: "membership",
  read: async ({ run, signal }) => {
    const folder = run.stage("membership");
    if (folder === undefined) return undefined;
    const { membership } = await AUDIT.read(join(folder, AUDIT.name));
    if (membership === undefined) return undefined; // of a stage there always is
    const pairs = await claimedPairs(join(folder, MEASURED_NAME), membership.by, signal);
    // What `sources` calls pairs without one: the page's table of pairs has no such source.
    return { ...membership, noSource: NO_GROUP, pairs };
  },
});

/** A claimed pair, with four digits of each figure. */
export interface ClaimedPair {
  readonly id: string;
  /** As the figures by source call it; undefined where no column counts as the source. */
  readonly source: string | undefined;
  /** log π₁ − log π₀ of the chosen and of the rejected response, in nats. */
  readonly chosen: number;
  readonly rejected: number;
  /** Length-normalised. */
  readonly ches: number;
}

async function claimedPairs(
  path: string,
  by: string | undefined,
  signal: AbortSignal | undefined,
): Promise<readonly ClaimedPair[]> {
  const found: ClaimedPair[] = [];
  for await (const pair of readMeasured(path, { signal })) {
    if (pair.claimed) found.push(shorten(pair, by));
  }
  return found;
}

const short = (value: number): number => Number(value.toPrecision(4));

const shorten = (pair: ReadMeasuredPair, by: string | undefined): ClaimedPair => ({
  id: pair.id,
  source: by === undefined ? undefined : groupName(pair.source ?? null),
  chosen: short(pair.chosen_drift),
  rejected: short(pair.rejected_drift),
  ches: short(pair.ches_normalised),
});
