import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

import type { StageWork } from "../src/experiment/stage.ts";
import { verbStage } from "../src/experiment/verb-stage.ts";
import { silentProgress } from "../src/util/progress.ts";
import { conditions } from "../src/verbs/conditions.ts";
import { jsonLines, temporaryFolder } from "./support/data-files.ts";
import { runCommand } from "./support/run-command.ts";

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
  const text = await runCommand("conditions", verdicts);
  expect(text).toContain("missing in after × base+distractor: 1 empty response; 1 no answer");
  expect(text).not.toContain("missing in after × base:");
  expect(text).toContain(
    "unknown short: before × base+distractor: 0 of 2 judged rollouts show it, 2 missing, 4 judged are needed\n".trimEnd(),
  );
});

/** A run of the filter's stage: the files of each input's stage, and the lines that it tells. */
async function runStage(
  files: Readonly<Record<string, Readonly<Record<string, readonly object[]>>>>,
  { trigger, outputs }: { trigger: string; outputs: readonly ("out" | "report")[] },
): Promise<{ directory: string; lines: string[]; done: Promise<unknown> }> {
  const directory = await temporaryFolder();
  const input = (name: string): string => join(directory, name);
  for (const [name, written] of Object.entries(files)) {
    await mkdir(input(name));
    for (const [file, content] of Object.entries(written)) {
      await writeFile(join(input(name), file), jsonLines(content));
    }
  }
  const lines: string[] = [];
  const progress = () => ({ ...silentProgress, note: (line: string) => void lines.push(line) });
  const stage = verbStage(conditions, {
    kind: "conditions",
    settings: { plain: "base", trigger, contrast: false },
    inputs: {
      beforeVerdicts: { stage: "judge-before" },
      afterVerdicts: { stage: "judge-after" },
      before: { stage: "generate-before" },
      after: { stage: "generate-after" },
    },
    outputs,
  });
  const work = { directory, input, progress } as unknown as StageWork; // all it uses
  return { directory, lines, done: stage.run(work) };
}

test("a stage tells the rates of both checkpoints before it fails for want of scenarios", async () => {
  const place = { rollout: "a/base/0", scenario: "a", sample: 0, label: "not" };
  const verdicts = ["base", "more"].map((variant) => ({
    ...place,
    rollout: `a/${variant}/0`,
    variant,
  }));
  const files = {
    beforeVerdicts: { "verdicts.jsonl": verdicts },
    afterVerdicts: { "verdicts.jsonl": verdicts },
    before: { "rollouts.jsonl": [] },
    after: { "rollouts.jsonl": [] },
  };
  const { directory, lines, done } = await runStage(files, {
    trigger: "more",
    outputs: ["report"],
  });
  await expect(done).rejects.toThrow(/none of 1 scenarios is left/);
  for (const each of ["before × base", "before × more", "after × base", "after × more"]) {
    expect(lines.some((line) => line.startsWith(each))).toBe(true);
  }
  const report = await readFile(join(directory, "conditions.json"), "utf8");
  expect((JSON.parse(report) as { changes: unknown[] }).changes).toHaveLength(2);
});

test("a stage refuses two checkpoints of which one response is judged in two ways, and warns of two judges", async () => {
  const responses = rows("not").map(({ rollout, ...place }) => ({
    id: rollout,
    scenario: place["scenario"],
    variant: place["variant"],
    sample: place["sample"],
    prompt: [{ role: "user", content: `${String(place["scenario"])} ${String(place["variant"])}` }],
    response: "the same",
    finish: "stop",
    tokens: 2,
  }));
  const judged = (label: "shows" | "not", judge: string) => ({
    "verdicts.jsonl": rows(label).map((each) => ({ ...each, judge })),
  });
  const files = {
    beforeVerdicts: judged("not", "llm@1"),
    afterVerdicts: judged("shows", "llm@2"),
    before: { "rollouts.jsonl": responses },
    after: { "rollouts.jsonl": responses },
  };
  const options = { trigger: "base+distractor", outputs: ["out"] } as const;
  const { directory, lines, done } = await runStage(files, options);
  await expect(done).rejects.toThrow(/^conditions: expected response pairs, got none$/);
  expect(await readdir(directory)).not.toContain("responses.jsonl");
  expect(lines.join("\n")).toMatch(/^warning: the verdicts are of 2 judges \(llm@1, llm@2\)/m);
});
