import { givenTags } from "../pairs/row-marks.ts";
import { writeJsonLines } from "../util/atomic-file.ts";
import type { Scenario } from "./scenarios.ts";

/** Writes scenarios as readScenarios reads them, JSON lines, whole or not at all; fields that a scenario lacks are left out. */
export async function writeScenarios(path: string, scenarios: readonly Scenario[]): Promise<void> {
  const rows = scenarios.map(({ id, title, base, distractor, tags, variants }) => ({
    id,
    title,
    base,
    distractor,
    tags: givenTags(tags),
    variants: Object.keys(variants).length === 0 ? undefined : variants,
  }));
  await writeJsonLines(path, rows);
}
