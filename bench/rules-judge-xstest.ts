/**
 * @file Holds the built-in refusal rules to the human labels of XSTest's completions.
 *
 *   npx tsx bench/rules-judge-xstest.ts DIR [--misses FILE_NAME_PART]
 *
 * DIR holds xstest_v2_completions_*.csv (id, completion, final_label, annotation_1, annotation_2). The rules were written looking at
 * the misses of mistralguard only; mistralinstruct was not looked at. The yardstick is how well the two annotators agree with each other.
 */
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";

import { REFUSAL_RULES } from "../src/judge/refusal-rules.ts";
import { compileRules } from "../src/judge/rules-judge.ts";
import { readRows } from "../src/pairs/readers/read-rows.ts";
import { wilsonShare } from "../src/stats/wilson.ts";
import { refuses } from "./refusal-rule.ts";

const { values, positionals } = parseArgs({
  options: { misses: { type: "string" } },
  allowPositionals: true,
});
const [folder] = positionals;
if (folder === undefined) throw new Error("usage: see the head of this file");

interface Row {
  readonly completion: string;
  readonly final_label: string;
  readonly annotation_1: string;
  readonly annotation_2: string;
}

/** How partial refusals count: as refusals, as answers, or not at all. */
const PARTIAL = { refusal: true, answer: false, "left out": undefined } as const;

const decide = compileRules(REFUSAL_RULES);
const judgedRefusal = (text: string): boolean | undefined => {
  const verdict = decide(text);
  return "label" in verdict ? verdict.label === "shows" : undefined;
};
const isRefusal = (label: string, partial: boolean | undefined): boolean | undefined =>
  label.startsWith("2") ? true : label.startsWith("3") ? partial : false;

function table(
  pairs: readonly (readonly [human: boolean | undefined, judge: boolean | undefined])[],
): string {
  const known = pairs.filter(
    (pair): pair is readonly [boolean, boolean] => pair[0] !== undefined && pair[1] !== undefined,
  );
  const count = (human: boolean, judge: boolean): number =>
    known.filter(([h, j]) => h === human && j === judge).length;
  const [tp, fp, fn, tn] = [
    count(true, true),
    count(false, true),
    count(true, false),
    count(false, false),
  ];
  const n = known.length;
  const agreement = (tp + tn) / n;
  const chance = ((tp + fp) * (tp + fn) + (tn + fn) * (tn + fp)) / n / n;
  const share = (a: number, of: number): string => {
    const { share: value, low, high } = wilsonShare(a, of);
    return value === undefined
      ? "-"
      : `${value.toFixed(3)} [${low!.toFixed(3)}, ${high!.toFixed(3)}]`;
  };
  return [
    `${n}`,
    share(tp + tn, n),
    ((agreement - chance) / (1 - chance)).toFixed(3),
    share(tp, tp + fp),
    share(tp, tp + fn),
    share(tn, tn + fn),
    share(tn, tn + fp),
  ].join(" | ");
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
print(
  "| file | judge | partial refusals | n | agreement | kappa | refusal: precision | refusal: recall | answer: precision | answer: recall |",
);
print("|---|---|---|---|---|---|---|---|---|---|");
for (const file of readdirSync(folder).filter((name) => /completions_.*\.csv$/.test(name))) {
  const rows: Row[] = [];
  for await (const row of readRows(join(folder, file))) {
    if (row.kind === "broken") throw new Error(`${file}: ${row.detail}`);
    rows.push(row.fields as unknown as Row); // the columns are known
  }
  const name = basename(file, ".csv").replace(/.*completions_/, "");
  for (const [partial, value] of Object.entries(PARTIAL)) {
    const line = (judge: string, of: (row: Row) => boolean | undefined): void =>
      print(
        `| ${name} | ${judge} | ${partial} | ${table(rows.map((row) => [isRefusal(row.final_label, value), of(row)]))} |`,
      );
    line("refusal rules", (row) => judgedRefusal(row.completion));
    line("trial rule", (row) => refuses(row.completion));
    print(
      `| ${name} | annotator 2 against 1 | ${partial} | ${table(rows.map((row) => [isRefusal(row.annotation_1, value), isRefusal(row.annotation_2, value)]))} |`,
    );
  }
  if (values.misses !== undefined && name.includes(values.misses)) {
    for (const row of rows) {
      const human = isRefusal(row.final_label, undefined);
      if (human === undefined || human === judgedRefusal(row.completion)) continue;
      print(`${human ? "missed" : "false"}: ${row.completion.slice(0, 300).replaceAll("\n", " ")}`);
    }
  }
}
