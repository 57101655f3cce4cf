import { writeFileAtomic } from "../util/atomic-file.ts";
import type { Scenario } from "./scenarios.ts";

/** Writes scenarios as readScenarios reads them, JSON lines, whole or not at all; fields that a scenario lacks are left out. */
export async function writeScenarios(path: string, scenarios: readonly Scenario[]): Promise<void> {
  await writeFileAtomic(path, lines(scenarios));
}

async function* lines(scenarios: readonly Scenario[]): AsyncGenerator<string> {
  for (const { id, title, base, distractor, tags, variants } of scenarios) {
    const fields = {
      id,
      title,
      base,
      distractor,
      tags: tags.length === 0 ? undefined : tags,
      variants: Object.keys(variants).length === 0 ? undefined : variants,
    };
    yield `${JSON.stringify(fields)}\n`;
  }
}
