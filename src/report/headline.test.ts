import { join } from "node:path";

import { expect, it } from "vitest";

import type { ConfoundTable } from "../ranking/confound-table.ts";
import type { ArmRate } from "../rates/evaluation.ts";
import type { ArmEdit, ExperimentResult } from "../runs/result.ts";
import { clusteredRate } from "../stats/clustered-rate.ts";
import { certainty } from "./certainty.ts";
import { headline } from "./headline.ts";
import { nextSteps } from "./next-steps.ts";
import type { RunFolder } from "./run-folder.ts";

/** An arm whose rate is `shows` of 40 prompts in each seed, and how it compares. */
function arm(
  name: string,
  shows: number,
  { seeds = 1, p = 0.0001 }: { readonly seeds?: number; readonly p?: number } = {},
): ArmRate {
  const cells = Float64Array.from({ length: 40 * seeds }, (_, i) => Number(i % 40 < shows));
  const rate = clusteredRate({
    seeds,
    prompts: 40,
    shows: cells,
    judged: new Float64Array(40 * seeds).fill(1),
  });
  const compared = {
    prompts: 40,
    difference: shows / 40 - 1,
    low: -1,
    high: 0,
    p,
    adjustedP: p,
    against: name === "filter" ? "random" : "baseline",
  };
  return {
    arm: name,
    rate,
    scenarios: 40,
    bySeed: Array.from({ length: seeds }, (_, i) => ({ seed: `${i}`, rate: shows / 40 })),
    missing: 0,
    causes: {},
    toBaseline: { ...compared, against: "baseline" },
    toControls: name === "filter" ? [compared] : [],
  };
}

const FILTER: ArmEdit = {
  arm: "filter",
  method: "probe",
  action: "filter",
  pick: "chosen",
  top: 10,
  pairs: 10,
  groups: [],
  controls: ["random"],
};

function result(arms: readonly ArmRate[], probe: object = {}): ExperimentResult {
  const verdict = {
    kind: "concentrated",
    reason: "few stand out",
    meaning: "Edit them.",
    excessPairs: 5,
    heldTo: [],
    notHeldTo: [],
  };
  const evaluation = {
    baseline: "baseline",
    controls: ["random"],
    variants: [{ variant: "asked", scenarios: 40, prompts: 40, arms }],
    measures: [],
    notes: [],
  };
  return {
    behavior: "b",
    pairs: 100,
    probe: { layer: 2, layerReason: "named", responsePairs: 1, prompts: 1, ...probe },
    methods: [{ name: "probe", pairs: 100, verdict }],
    seeds: arms[0]?.bySeed.map((_, i) => i) ?? [],
    trigger: "asked",
    edits: arms.length === 0 ? [] : [FILTER],
    evaluation: arms.length === 0 ? undefined : evaluation,
    conclusions: [],
  } as unknown as ExperimentResult; // what a headline reads of one
}

/** The steps of a run in the folder `out`, in words and commands. */
function steps(of: ExperimentResult | undefined, confounds?: ConfoundTable): readonly string[] {
  const run = {
    path: join(process.cwd(), "out", "a run"),
    settings: { pairs: { files: ["mix/*.parquet"], sourceColumn: "from" }, checkpoints: {} },
    at: (file: string) => join(process.cwd(), "data", file),
  } as unknown as RunFolder; // what a step reads of one
  const again = "npx culprit run a.yaml";
  return nextSteps(of, { run, rankings: [], confounds, again }).map(
    ({ sentence, figures, command = "" }) =>
      [sentence, command, ...figures.map(({ text, tells }) => `${text}: ${tells}`)].join(" "),
  );
}

it("says that the pairs carry it where edit and control are told apart, and of one training only that", () => {
  const once = headline(result([arm("baseline", 40), arm("filter", 4), arm("random", 39)]));
  expect(once.kind).toBe("shown");
  expect(once.sentence).toMatch(
    /^“b” shows in 100\.0% .* of the responses after training on all pairs; trained without the 10 pairs ranked highest in 10\.0% .*, with as many random pairs edited instead in 97\.5% .*: in this one training it is these pairs/,
  );
  const seeds = 3;
  const thrice = result([
    arm("before", 0, { seeds }),
    arm("baseline", 40, { seeds }),
    arm("filter", 4, { seeds }),
    arm("random", 39, { seeds }),
  ]);
  expect(headline(thrice).sentence).toMatch(
    /^“b” shows in 0\.0% .* before training and in 100\.0% .* after it; .*: it is these pairs, more than chance/,
  );
  const next = steps(thrice).join(" ");
  expect(next).not.toContain("three seeds");
  // As they can be given: the files of the run, and a folder, which takes any format.
  expect(next).toContain(
    "npx culprit edit 'data/mix/*.parquet' --source-column from --ranking 'out/a run/ranking.parquet' --action filter --top 10 --out edited",
  );
  expect(next).toContain("npx culprit report 'out/a run' --serve");
  expect(steps(undefined).join()).toContain("npx culprit run a.yaml");
  // Training has told; that it would tell is no step any more.
  expect(next).not.toContain("Edit them.");
  // Each figure tells its interval and n, and stands in the sentence.
  const { sentence, figures } = headline(thrice);
  expect(figures.map(({ tells }) => tells)).toEqual(
    Array(4).fill(expect.stringMatching(/^95% \[.*%\], n 120 judged responses to 40 prompts, 3 /)),
  );
  expect(figures.every(({ text }) => sentence.includes(text))).toBe(true);
});

const sentences = (...of: Parameters<typeof certainty>): string =>
  certainty(...of)
    .map(({ sentence }) => sentence)
    .join(" ");

it("says how sure that is: against random pairs, across trainings, of the direction, the scores and the judge", () => {
  const arms = [arm("baseline", 40), arm("filter", 4), arm("random", 39)];
  const said = certainty(result(arms));
  const once = said.map(({ sentence }) => sentence).join("\n");
  expect(said.flatMap(({ figures }) => figures.map(({ tells }) => tells))).toEqual([
    "95% [−100.0, +0.0], n 40 prompts, one training seed",
    "p < 0.001, corrected for the number of edits that were compared (Holm), n 40 prompts",
  ]);
  expect(once).toContain(
    "Trained without the 10 pairs ranked highest, the model’s rate differs by −90.0 percentage points [−100.0, +0.0] from that after the same edit of random pairs, over 40 prompts.",
  );
  expect(once).toContain("fewer than 1 of 1,000 cases");
  expect(once).toContain("Each model was trained once");
  expect(once).toContain("(concentrated; the page Pairs has the figures)");
  expect(once).toContain("No person has checked the judge");
  expect(sentences(result(arms), { judgedByPeople: true })).toContain("People judged");
  const unsure = certainty(
    result([arm("baseline", 40), arm("filter", 38, { p: 0.4 }), arm("random", 39)]),
  );
  expect(unsure[0]!.sentence).toContain("in 40 of 100 cases: they are not told apart.");
  expect(sentences(result([]))).toContain("Nothing was trained without the pairs");
  const of = (r: number) => ({ r, low: r, high: r, n: 9 });
  expect(sentences(result([]), { confounds: { "total length": of(-0.1) } })).toContain(
    "does not follow how long the responses are (rank correlations of at most 0.10)",
  );
  expect(sentences(result([]), { confounds: { "total length": of(-0.4) } })).not.toContain(
    "how long",
  );
  expect(certainty(undefined)).toEqual([]);
});

it("does not say so where the edit is not told from its control", () => {
  const found = headline(
    result([arm("baseline", 40), arm("filter", 38, { p: 0.4 }), arm("random", 39)]),
  );
  expect(found).toMatchObject({ kind: "unshown" });
  expect(found.sentence).toMatch(/that it is these pairs is not shown\.$/);
});

it("calls a ranking that nothing tested what it is, and a vector of noise evidence of nothing", () => {
  const ranked = result([]);
  expect(headline(ranked)).toMatchObject({ kind: "ranked" });
  expect(headline(ranked).sentence).toMatch(
    /^100 pairs are ranked by how far they move the model the way of “b”\. A small part of the pairs scores far higher /,
  );
  expect(steps(ranked)[0]).toContain("add edits, train and evaluate");
  const of = (r: number) => ({ r, low: r - 0.1, high: r + 0.1, n: 100 });
  const [first] = steps(ranked, { "chosen is longer": of(0.77), "total length": of(0.1) });
  expect(first).toContain("the score follows chosen is longer (0.77), and may be");
  expect(first).toContain("0.77: 95% [0.67, 0.87], n 100 pairs");
  expect(headline(result([], { doubt: "too few prompts" })).kind).toBe("unstable");
  const noise = result([arm("baseline", 40), arm("filter", 4)], { doubt: "too few prompts" });
  expect(headline(noise).sentence).toMatch(
    /^“b” shows in 100\.0% .*; the behaviour's vector is not stable \(too few prompts\)/,
  );
  expect(headline(undefined).kind).toBe("unfinished");
});
