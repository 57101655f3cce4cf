/** Trained probes against scikit-learn's on the same rows; see test/golden/probes/make_probes.py. */
import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { cosine, norm } from "../util/vector.ts";
import { allMembers, labelledDifference, type LabelledRows } from "./labelled-rows.ts";
import { createWhitening } from "./lda-probe.ts";
import { createLogisticProbe } from "./logistic-probe.ts";

interface GoldenCase {
  readonly name: string;
  readonly dim: number;
  readonly rows: number[];
  readonly labels: number[];
  readonly weights: number[];
  readonly logistic: readonly { strength: number; direction: number[] }[];
  readonly weighted: number[];
  readonly lda: number[];
  readonly ldaEigen: number[];
}

const golden = JSON.parse(
  readFileSync(new URL("../../test/golden/probes/probes.json", import.meta.url), "utf8"),
) as { readonly cases: readonly GoldenCase[] };

describe.each(golden.cases)("$name", (each) => {
  const labels = Uint8Array.from(each.labels);
  const rows = toRows(each);

  it.each(each.logistic)("logistic regression at C = $strength is scikit-learn's", (want) => {
    const found = createLogisticProbe(rows).train(allMembers(rows), labels, want);
    expect(1 - cosine(found, want.direction)!).toBeLessThan(1e-9);
    expect(Math.abs(norm(found) / norm(want.direction) - 1)).toBeLessThan(1e-4);
  });

  it("weights of rows count as scikit-learn's sample weights do", () => {
    const weighted = { ...rows, weights: Float64Array.from(each.weights) };
    const found = createLogisticProbe(weighted).train(allMembers(rows), labels, { strength: 1 });
    expect(1 - cosine(found, each.weighted)!).toBeLessThan(1e-9);
  });

  it("the whitened mean difference is scikit-learn's discriminant with automatic shrinkage", () => {
    const members = allMembers(rows);
    const difference = labelledDifference(rows, members, labels);
    const found = createWhitening(rows, members, labels).solve(difference);
    expect(1 - cosine(found, each.ldaEigen)!).toBeLessThan(1e-6);
    // lsqr gives covariance⁻¹ (mean after − mean before) itself.
    expect(1 - cosine(found, each.lda)!).toBeLessThan(1e-9);
    expect(Math.abs(norm(found) / norm(each.lda) - 1)).toBeLessThan(1e-6);
  });
});

function toRows({ dim, rows, labels }: GoldenCase): LabelledRows {
  return {
    dim,
    rows: Float32Array.from(rows),
    labels: Uint8Array.from(labels),
    prompts: { of: Int32Array.from(labels, (_, i) => i), labels: labels.map((_, i) => `${i}`) },
    weights: new Float64Array(labels.length).fill(1),
  };
}
