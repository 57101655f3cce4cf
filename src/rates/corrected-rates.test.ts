import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import type { HumanLabels } from "../judge/human-labels.ts";
import type { Verdict } from "../judge/verdict.ts";
import { unifiedDistances } from "../stats/unified.ts";
import { correctedRates } from "./corrected-rates.ts";
import { cohenKappa, judgeAgreement } from "./judge-agreement.ts";
import { judgeCells, type JudgeCells } from "./judge-cells.ts";
import { fitJudge } from "./judge-likelihood.ts";

interface Bounds {
  readonly low: number;
  readonly high: number;
}

interface GoldenCase {
  /** [prompt, judge, person or null]. */
  readonly rollouts: readonly (readonly [number, 0 | 1, 0 | 1 | null])[];
  readonly agreement: Bounds & { readonly rate: number };
  readonly precision: Bounds & { readonly rate: number };
  readonly recall: Bounds & { readonly rate: number };
  readonly kappa: Bounds & { readonly value: number };
  readonly roganGladen: Bounds & { readonly rate: number };
  readonly ppi: Bounds & { readonly rate: number; readonly weight: number };
}

interface GoldenFit {
  /** Hits of positives, alarms of negatives, calls of unlabelled. */
  readonly counts: readonly (readonly [number, number])[];
  readonly rate: number;
  readonly root: number;
}

const golden = JSON.parse(
  readFileSync(new URL("../../test/golden/judge/judge.json", import.meta.url), "utf8"),
) as {
  readonly cases: readonly GoldenCase[];
  readonly fits: readonly GoldenFit[];
  readonly critical: readonly { truth: number; above: number; below: number }[];
};

const label = (shows: 0 | 1): "shows" | "not" => (shows === 1 ? "shows" : "not");

function cellsOf(rollouts: GoldenCase["rollouts"]): JudgeCells {
  const labels: HumanLabels = new Map(
    rollouts.flatMap(([, , person], i) =>
      person === null ? [] : [[`${i}`, { label: label(person) }] as const],
    ),
  );
  const verdicts: Verdict[] = rollouts.map(([prompt, judge], i) => ({
    rollout: `${i}`,
    scenario: `${prompt}`,
    variant: "base",
    sample: i,
    label: label(judge),
  }));
  return judgeCells(verdicts, labels);
}

const TOLERANCE = 1e-7;

function expectClose(found: object, wanted: object, tolerance = TOLERANCE): void {
  for (const [name, value] of Object.entries(wanted) as [string, number][]) {
    const own = (found as Record<string, number>)[name]!;
    expect(Math.abs(own - value), `${name}: ${own} against ${value}`).toBeLessThan(tolerance);
  }
}

describe.each(golden.cases.map((each, i) => [i, each] as const))("case %i", (_, each) => {
  const cells = cellsOf(each.rollouts);

  it("agrees as NumPy finds it, with kappa, precision and recall", () => {
    const found = judgeAgreement(cells);
    expectClose(found.agreement, each.agreement);
    expectClose(found.classes.shows.precision, each.precision);
    expectClose(found.classes.shows.recall, each.recall);
    expectClose(found.kappa, each.kappa);
  });

  it("has NumPy's corrected rates", () => {
    const found = correctedRates(cells);
    // The normal distribution is taken as Student's with a million degrees of freedom.
    expectClose(found.roganGladen, each.roganGladen, 1e-6);
    expectClose(found.ppi, each.ppi);
  });
});

describe("fitJudge", () => {
  it.each(golden.fits)("has the root that SciPy's search finds ($counts, rate $rate)", (each) => {
    const [[hits, positives], [alarms, negatives], [calls, unlabelled]] = each.counts as [
      [number, number],
      [number, number],
      [number, number],
    ];
    const counts = { positives, hits, negatives, alarms, unlabelled, calls };
    expect(fitJudge(counts, each.rate).root).toBeCloseTo(each.root, 5);
  });
});

describe("unifiedDistances", () => {
  it.each(golden.critical)("has SciPy's acceptance region at $truth", ({ truth, above, below }) => {
    const found = unifiedDistances(truth);
    expect(found.above).toBeCloseTo(above, 5);
    expect(found.below / below).toBeCloseTo(1, 5);
  });

  it("is one-sided at the end of the range", () => {
    expect(unifiedDistances(0).above).toBeCloseTo(1.6448536, 5);
    expect(unifiedDistances(0).below).toBe(Infinity);
  });
});

describe("where there is little to go by", () => {
  const rows = (
    count: number,
    judge: 0 | 1,
    person: 0 | 1 | null,
  ): GoldenCase["rollouts"][number][] =>
    Array.from({ length: count }, (_, p) => [p, judge, person]);

  it("says why there is no Rogan-Gladen rate", () => {
    const chance = [...rows(9, 1, 0), ...rows(9, 0, 1)];
    expect(correctedRates(cellsOf(chance)).roganGladen.why).toBe(
      "no correction: the judge found 0 of the 9 labelled that show it, and it says shows of 9 of the 9 that do not",
    );
    const missed = [...rows(1, 0, 1), ...rows(9, 0, 0)];
    expect(correctedRates(cellsOf(missed)).roganGladen.why).toBe(
      "no correction: the judge found 0 of the 1 labelled that show it",
    );
    const allCalled = rows(4, 1, 0);
    expect(correctedRates(cellsOf(allCalled)).roganGladen.why).toBe(
      "no correction: no labelled rollout shows it, and the judge says shows of all 4",
    );
    const { ppi, roganGladen } = correctedRates(cellsOf(rows(9, 1, null)));
    expect([ppi.why, roganGladen.why]).toEqual(["nothing is labelled", "nothing is labelled"]);
  });

  it("has a Rogan-Gladen rate where no label shows it: the least that the verdicts allow", () => {
    const alarms = [...rows(98, 0, 0), ...rows(2, 1, 0)];
    const quiet = correctedRates(cellsOf([...alarms, ...rows(490, 0, null), ...rows(10, 1, null)]));
    expect([quiet.roganGladen.rate, quiet.roganGladen.low]).toEqual([0, 0]);
    expect(quiet.roganGladen.high).toBeCloseTo(quiet.people.high!, 12); // sensitivity is unknown
    const loud = correctedRates(cellsOf([...alarms, ...rows(430, 0, null), ...rows(70, 1, null)]));
    expect(loud.roganGladen.rate).toBeCloseTo((72 / 600 - 0.02) / 0.98, 12);
    expect(loud.roganGladen.low).toBeGreaterThan(0.05);
  });

  it("is what people say where all is labelled, and mirrors where the label is turned round", () => {
    const all = correctedRates(cellsOf([...rows(5, 1, 1), ...rows(2, 0, 1), ...rows(40, 0, 0)]));
    const { rate, low, high } = all.people;
    expect(all.roganGladen.rate).toBeCloseTo(rate!, 12);
    expect([all.roganGladen.low, all.roganGladen.high]).toEqual([low, high]);
    const { rollouts } = golden.cases[1]!;
    const turn = (said: 0 | 1): 0 | 1 => (said === 0 ? 1 : 0);
    const mirror = rollouts.map(
      ([p, judge, person]) => [p, turn(judge), person === null ? null : turn(person)] as const,
    );
    const [plain, turned] = [rollouts, mirror].map((each) => correctedRates(cellsOf(each)));
    expect(plain!.roganGladen.low! + turned!.roganGladen.high!).toBeCloseTo(1, 10);
    expect(plain!.roganGladen.high! + turned!.roganGladen.low!).toBeCloseTo(1, 10);
  });

  it("keeps a width where the labels show nothing", () => {
    const { ppi } = correctedRates(cellsOf([...rows(30, 0, 0), ...rows(200, 0, null)]));
    expect([ppi.rate, ppi.low]).toEqual([0, 0]);
    expect(ppi.high).toBeGreaterThan(0.05);
  });

  it("mirrors the interval where the label is turned round", () => {
    const [plain, turned] = [golden.cases[1]!.rollouts, golden.cases[4]!.rollouts].flatMap(
      (all) => {
        const other = (said: 0 | 1 | null): 0 | 1 | null => (said === null ? null : said ? 0 : 1);
        const mirror = all.map(([p, judge, person]) => [p, judge, other(person)] as const);
        return [correctedRates(cellsOf(all)).ppi, correctedRates(cellsOf(mirror)).ppi];
      },
    );
    expect(plain!.low! + turned!.high!).toBeCloseTo(1, 10);
    expect(plain!.rate! + turned!.rate!).toBeCloseTo(1, 10);
  });

  it("counts a prompt once where all labels agree, and has no end where there is one prompt", () => {
    const each = [...rows(30, 0, 0), ...rows(30, 0, 0), ...rows(200, 0, null)];
    const once = [...rows(30, 0, 0), ...rows(200, 0, null)];
    const [twice, single] = [each, once].map((all) => correctedRates(cellsOf(all)).ppi.high!);
    expect(Math.abs(twice! / single! - 1)).toBeLessThan(0.05);
    const one = rows(40, 0, 0).map(([, judge, person]) => [0, judge, person] as const);
    expect(correctedRates(cellsOf(one)).ppi).toMatchObject({ rate: 0, low: 0, high: 1 });
  });

  it("takes a judge that has things backwards for what it is", () => {
    const backwards = [...rows(20, 0, 1), ...rows(40, 1, 0), ...rows(30, 1, null)];
    const { weight, rate } = correctedRates(cellsOf(backwards)).ppi;
    expect(weight).toBeLessThan(0);
    expect(rate).toBeLessThan(1 / 3);
  });

  it("relies on a perfect judge, and not at all on one that says nothing", () => {
    const perfect = [...rows(20, 1, 1), ...rows(40, 0, 0), ...rows(30, 1, null)];
    expect(correctedRates(cellsOf(perfect)).ppi.weight).toBeGreaterThan(0.3);
    const blind = [...rows(20, 0, 1), ...rows(40, 0, 0), ...rows(30, 0, null)];
    expect(correctedRates(cellsOf(blind)).ppi).toMatchObject({ weight: 0, rate: 1 / 3 });
  });

  it.each([
    // By SciPy: kappa's numeric gradient at the padded table, with the multinomial covariance.
    ["all agree", [3, 0, 0, 2], [1.0, -0.040633, 1.0]],
    ["all disagree one way", [0, 5, 0, 0], [0.0, -0.732983, 0.462713]],
    ["the judge always says the same", [3, 2, 0, 0], [0.0, -0.776222, 0.867131]],
    ["all disagree both ways", [0, 10, 10, 0], [-1.0, -1.0, -0.723191]],
  ] as const)("has a kappa with width where %s", (_, [both, judge, person, neither], wanted) => {
    const cells = cellsOf(
      [
        ...rows(both, 1, 1),
        ...rows(judge, 1, 0),
        ...rows(person, 0, 1),
        ...rows(neither, 0, 0),
      ].map(([, ...said], p) => [p, ...said]),
    );
    const { value, low, high } = cohenKappa(cells);
    [value, low, high].forEach((each, i) => expect(each).toBeCloseTo(wanted[i]!, 5));
  });

  it("has no kappa where all say the same", () => {
    expect(cohenKappa(cellsOf(rows(9, 0, 0))).value).toBeUndefined();
  });

  it("counts no rollout without a verdict", () => {
    const missing: Verdict[] = [
      { rollout: "0", scenario: "a", variant: "base", sample: 0, missing: "budget" },
    ];
    const cells = judgeCells(missing, new Map([["0", { label: "shows" }]]));
    expect(judgeAgreement(cells).labelled).toBe(0);
  });
});
