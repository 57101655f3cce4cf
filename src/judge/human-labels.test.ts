import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { createRng } from "../util/rng.ts";
import { createHumanJudge, readHumanLabels } from "./human-labels.ts";
import { stratifiedSample } from "./stratified-sample.ts";

const folder = mkdtempSync(join(tmpdir(), "culprit-labels-"));
function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

describe("the human judge", () => {
  it("says what people said, from CSV as from JSON lines, and that the rest is missing", async () => {
    const csv = file("a.csv", "rollout,label\na/base/0,shows\na/base/1,not\na/base/2,\nz,not\n");
    const lines = file(
      "a.jsonl",
      '{"id":"a/base/0","label":"shows"}\n{"id":"a/base/1","label":"not"}\n{"id":"a/base/2"}\n{"rollout":"z","label":"not"}\n',
    );
    expect(await readHumanLabels(csv)).toEqual(await readHumanLabels(lines));
    const judge = createHumanJudge(await readHumanLabels(csv), "is rude");
    const rollouts = [0, 1, 2, 3].map((sample) => ({
      id: `a/base/${sample}`,
      scenario: "a",
      variant: "base",
      sample,
      response: "r",
    }));
    const said: string[] = [];
    for await (const verdict of judge.judge(rollouts)) {
      said.push("label" in verdict ? verdict.label : verdict.missing);
    }
    expect(said).toEqual(["shows", "not", "not labelled", "not labelled"]);
    expect(judge.unused()).toBe(1);
  });

  it.each([
    ["rollout,label\na,maybe\n", /row 0: label: expected "shows" or "not"/],
    ["rollout,label\na,not\na,not\n", /row 1: its rollout has a label/],
    ["label\nnot\n", /row 0: rollout: expected an id/],
    ["rollout,label,missing\na,not,\nb,not,gone\n", /row 1: expected either a label or a cause/],
  ])("names the row that is wrong: %j", async (text, message) => {
    await expect(readHumanLabels(file("bad.csv", text))).rejects.toThrow(message);
  });

  it("does not take a row whose label has another name for one without a label", async () => {
    const rows = (...more: object[]): string =>
      [{ rollout: "a", label: "shows" }, ...more].map((row) => JSON.stringify(row)).join("\n");
    await expect(
      readHumanLabels(file("typo.jsonl", rows({ rollout: "b", lable: "shows" }))),
    ).rejects.toThrow(/typo\.jsonl, row 1: expected a label, got none but "lable"/);
    const none = [
      { rollout: "b", label: "", note: "skipped" },
      { rollout: "c", label: null, note: "skipped" },
      { id: "d", scenario: "s", variant: "base", sample: 0, response: "r", finish: "stop" },
    ];
    const labels = await readHumanLabels(file("none.jsonl", rows(...none)));
    const missing = { missing: "not labelled" };
    expect([...labels.values()]).toEqual([{ label: "shows" }, missing, missing, missing]);
  });
});

describe("stratifiedSample", () => {
  const items = Array.from({ length: 200 }, (_, i) => ({
    id: `${i}`,
    stratum: i < 20 ? "rare" : i < 80 ? "some" : "most",
  }));

  it("gives each stratum its share, by seed", () => {
    const ids = stratifiedSample(items, 50, createRng(1));
    // Whatever the seed: without strata the counts come out like this about once in twenty.
    for (let seed = 0; seed < 30; seed++) {
      const strata = stratifiedSample(items, 50, createRng(seed)).map(
        (id) => items[Number(id)]!.stratum,
      );
      const count = (name: string): number => strata.filter((each) => each === name).length;
      expect([count("rare"), count("some"), count("most")]).toEqual([5, 15, 30]);
    }
    expect(new Set(ids).size).toBe(50);
    expect(stratifiedSample(items, 50, createRng(1))).toEqual(ids);
    expect(stratifiedSample(items, 50, createRng(2))).not.toEqual(ids);
  });

  it("gives every item about the same chance where shares are no whole numbers", () => {
    const three = ["a", "a", "b"].map((stratum, i) => ({ id: `${i}`, stratum }));
    const times = [0, 0, 0];
    for (let seed = 0; seed < 600; seed++) {
      for (const id of stratifiedSample(three, 1, createRng(seed))) times[Number(id)]!++;
    }
    for (const count of times) expect(Math.abs(count - 200)).toBeLessThan(50);
    expect(stratifiedSample(three, 9, createRng(0))).toHaveLength(3);
  });
});
