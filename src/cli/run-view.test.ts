import { expect, it } from "vitest";

import { silentContext } from "../../test/support/run-command.ts";
import {
  smallExperiment,
  trainingSections,
  writeExperiment,
} from "../../test/support/small-experiment.ts";
import { suiteFolder } from "../../test/support/suite-folder.ts";
import { readExperiment } from "../experiment/read-experiment.ts";
import type { Stage } from "../experiment/stage.ts";
import type { ExperimentStatus } from "../runs/experiment-status.ts";
import { runAndPrint } from "./run-and-print.ts";
import { createRunView, formatRunView } from "./run-view.ts";

const suite = suiteFolder();

const stage = (kind: string): Stage => ({ kind, name: "" }) as Stage; // all that is shown of one
const cost = { seconds: 12, tokens: 3456, flops: 0, money: 0.5 };
const STATUS = {
  out: "out",
  manifest: { experiment: { cost: { currency: "EUR" } } },
  stages: [
    { id: "audit", kind: "audit", name: "", state: "done", cost, isCached: true },
    { id: "train", kind: "train", name: "", state: "done", cost },
    { id: "embed", kind: "embed", name: "", state: "running", cost },
    { id: "rank", kind: "rank", name: "", state: "missing" },
  ],
  total: cost,
} as unknown as ExperimentStatus; // what a view looks at
const STATE = {
  status: STATUS,
  place: { position: 3, of: 4, atOnce: 1, remaining: [stage("rank")] },
  atWork: [{ id: "embed", standing: { done: 30, total: 120, unit: "pairs", rate: 3 } }],
  seconds: 42,
  secondsLeft: 75,
};

it("shows stages around the one at work, its rate, time left, and what was spent", () => {
  expect(formatRunView(STATE, { columns: 100, rows: 24 })).toEqual([
    "✓ audit  there already",
    "✓ train  12 s",
    "▶ embed ██████░░░░░░░░░░░░░░░░░░ 30/120 pairs (25%), 3.00 pairs/s, 30 s left",
    "· rank",
    "[3/4] 42 s here, about 75 s left, all stages so far: 12 s, 3,456 tokens, 0.5000 EUR",
  ]);
});

it("shows all stages that are at work side by side, in their order", () => {
  const atWork = [
    { id: "train", standing: undefined },
    { id: "embed", standing: { done: 30, total: 120, unit: "pairs", rate: 3 } },
  ];
  const stages = STATUS.stages.map((each) =>
    each.id === "train" ? { ...each, state: "running" as const } : each,
  );
  const place = { ...STATE.place, atOnce: 2 };
  const status = { ...STATUS, stages };
  expect(
    formatRunView({ ...STATE, place, status, atWork }, { columns: 100, rows: 24 }).slice(0, 4),
  ).toEqual([
    "✓ audit  there already",
    "▶ train",
    "▶ embed ██████░░░░░░░░░░░░░░░░░░ 30/120 pairs (25%), 3.00 pairs/s, 30 s left",
    "· rank",
  ]);
});

it("is as wide and as high as the screen at most, so that no line wraps or scrolls away", () => {
  const remaining = Array.from({ length: 30 }, (_, i) => stage(`retrain-${i}`));
  const place = { ...STATE.place, of: 33, remaining };
  for (const [columns, rows] of [
    [40, 24],
    [20, 6],
    [10, 4],
  ] as const) {
    const lines = formatRunView({ ...STATE, place }, { columns, rows });
    expect(lines.length).toBeLessThanOrEqual(rows);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(columns);
    expect(lines.some((line) => line.startsWith("▶ embed"))).toBe(true);
  }
  expect(formatRunView({ ...STATE, place: undefined }, { columns: 80, rows: 24 })).toEqual([]);
});

/** A terminal as it looks: what was written over is gone. */
function createTerminal() {
  let lines: string[] = [""];
  return {
    columns: 100,
    rows: 24,
    write(text: string): void {
      const words = text.replaceAll("\u001b", "⎋").matchAll(/⎋\[(\d+)A\r|(⎋\[J)|(\n)|([^⎋\n]+)/g);
      for (const [, up, clear, newline, plain] of words) {
        if (up !== undefined) lines = lines.slice(0, lines.length - 1 - Number(up)).concat("");
        else if (clear !== undefined) lines[lines.length - 1] = "";
        else if (newline !== undefined) lines.push("");
        else lines[lines.length - 1] += plain ?? "";
      }
    },
    lines: () => lines.slice(0, -1),
  };
}

it("draws itself over again; news stay above it, and nothing is drawn after it was stopped", async () => {
  const screen = createTerminal();
  let now = 0;
  const abort = new AbortController();
  const view = createRunView({
    screen,
    look: () => Promise.resolve(STATUS),
    nowMs: () => now,
    signal: abort.signal,
  });
  const { hooks } = view;
  hooks.onStart(stage("embed"), STATE.place);
  const progress = hooks.progress(stage("embed"), STATE.place, "pairs");
  for (let done = 0; done <= 60; done += 10) {
    progress.update(done, 120);
    now += 1000;
  }
  expect(screen.lines().filter((line) => line.startsWith("▶"))).toHaveLength(1);
  progress.note("warning: \u001b[31mred");
  view.note("second");
  await view.end();
  expect(screen.lines().slice(0, 2)).toEqual(["warning: �[31mred", "second"]);
  expect(screen.lines().slice(2)[0]).toBe("✓ audit  there already");
  const seen = screen.lines();
  abort.abort();
  view.note("third");
  expect(screen.lines()).toEqual(seen);
});

it("is what a run shows on a terminal, to its end", async () => {
  const folder = await smallExperiment(suite);
  await writeExperiment(suite, folder, await trainingSections(folder));
  const screen = createTerminal();
  const logged: string[] = [];
  const file = await readExperiment(`${folder}/experiment.yaml`);
  await runAndPrint(
    file,
    { out: `${folder}/out`, until: "rank", force: [] },
    {
      isJson: true,
      context: { ...silentContext(), screen, log: (line) => void logged.push(line) },
    },
  );
  const lines = screen.lines();
  expect(logged).toEqual([]);
  expect(lines.filter((line) => /^✓ (audit|behavior|embed) /.test(line))).toHaveLength(3);
  expect(lines.at(-1)).toMatch(/^\[4\/4\] .* here, all stages so far: .*, [\d,]+ tokens$/);
});
