/** `culprit run` as a user gives it. */
import { join } from "node:path";

import { expect, test } from "vitest";

import { runCommand } from "./support/run-command.ts";
import { smallExperiment, trainingSections, writeExperiment } from "./support/small-experiment.ts";
import { suiteFolder } from "./support/suite-folder.ts";

const suite = suiteFolder();

test("--until rank runs what the ranking needs, and ends with the verdict and the pairs on top", async () => {
  const folder = await smallExperiment(suite);
  await writeExperiment(suite, folder, await trainingSections(folder));
  const out = join(folder, "out");
  const words = [join(folder, "experiment.yaml"), "--until", "rank", "--out", out];
  // The second time everything is there already.
  for (let time = 0; time < 2; time++) {
    const stdout = await runCommand("run", words);
    expect(stdout).toMatch(/^verdict: /m);
    expect(stdout).toMatch(/^top\b.*score/m);
    expect(stdout).toMatch(/^4 of \d+ stages done/m);
  }
});
