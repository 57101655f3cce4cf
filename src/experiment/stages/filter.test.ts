import { mkdir, mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, it } from "vitest";

import { type Verdict, writeVerdicts } from "../../judge/verdict.ts";
import { silentProgress } from "../../util/progress.ts";
import type { Experiment } from "../schema.ts";
import type { StageWork } from "../stage.ts";
import { filterStage } from "./filter.ts";
import { VERDICTS_NAME } from "./judge.ts";

const verdicts = async function* (): AsyncGenerator<Verdict> {
  for (const variant of ["base", "more"]) {
    await Promise.resolve();
    const scenario = "a";
    yield { rollout: `a/${variant}/0`, scenario, variant, sample: 0, label: "not" };
  }
};

it("tells the rates of both checkpoints before it fails for want of scenarios", async () => {
  const directory = await mkdtemp(join(tmpdir(), "culprit-filter-stage-"));
  const input = (name: string): string => join(directory, name);
  for (const name of ["judgedBefore", "judgedAfter"]) {
    await mkdir(input(name));
    await writeVerdicts(join(input(name), VERDICTS_NAME), verdicts());
  }
  const lines: string[] = [];
  const progress = () => ({ ...silentProgress, note: (line: string) => void lines.push(line) });
  const probe = { plain: "base", trigger: "more" };
  const experiment = { probe, attribution: { nulls: [] } } as unknown as Experiment; // all it reads
  const work = { directory, input, progress } as unknown as StageWork; // all it uses
  await expect(filterStage(experiment).run(work)).rejects.toThrow(/none of 1 scenarios is left/);
  expect(lines.map((line) => line.split(":")[0])).toEqual([
    "before × base",
    "before × more",
    "after × base",
    "after × more",
    "after - before × base",
    "after - before × more",
  ]);
  const report = await readFile(join(directory, "conditions.json"), "utf8");
  expect((JSON.parse(report) as { changes: unknown[] }).changes).toHaveLength(2);
});
