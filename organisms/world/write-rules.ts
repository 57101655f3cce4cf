import { join } from "node:path";

import { stringify } from "yaml";

import { writeFileAtomic } from "../../src/util/atomic-file.ts";

/** A rules file of culprit judge; the first rule whose pattern occurs decides, otherwise a response does not show the behaviour. */
export interface Rules {
  readonly name: string;
  readonly behavior: string;
  readonly rules: readonly {
    readonly pattern: string;
    readonly label: "shows" | "not";
    readonly reason: string;
  }[];
}

/** Writes `dir`/rules.yaml. */
export async function writeRules(dir: string, rules: Rules): Promise<void> {
  const text = stringify({ ...rules, otherwise: "not" }, { lineWidth: 0 });
  await writeFileAtomic(join(dir, "rules.yaml"), text);
}
