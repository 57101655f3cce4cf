import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

import { jsonLines, temporaryFolder } from "../../../test/support/data-files.ts";
import { runCommand } from "../../../test/support/run-command.ts";
import { conditionsCommand } from "./conditions.ts";

/** Scenario `short` lacks two of four verdicts where the behaviour must show, scenario `full` none. */
function rows(label: "shows" | "not"): Record<string, unknown>[] {
  return ["full", "short"].flatMap((scenario) =>
    ["base", "base+distractor"].flatMap((variant) =>
      [0, 1, 2, 3].map((sample) => {
        const place = { rollout: `${scenario}/${variant}/${sample}`, scenario, variant, sample };
        const isTrigger = variant === "base+distractor";
        if (isTrigger && scenario === "short" && sample > 1) {
          return { ...place, missing: sample === 2 ? "empty response" : "no answer" };
        }
        return { ...place, label: isTrigger ? label : "not" };
      }),
    ),
  );
}

test("prints why verdicts are missing, and the whole of a reason", async () => {
  const folder = await temporaryFolder();
  const [before, after] = [join(folder, "before.jsonl"), join(folder, "after.jsonl")];
  await writeFile(before, jsonLines(rows("not")));
  await writeFile(after, jsonLines(rows("shows")));
  const verdicts = ["--before-verdicts", before, "--after-verdicts", after];
  const text = await runCommand(conditionsCommand, verdicts);
  expect(text).toContain("missing in after × base+distractor: 1 empty response; 1 no answer");
  expect(text).not.toContain("missing in after × base:");
  expect(text).toContain(
    "unknown short: before × base+distractor: 0 of 2 judged rollouts show it, 2 missing, 4 judged are needed\n".trimEnd(),
  );
});
