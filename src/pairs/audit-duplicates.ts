import { createHash } from "node:crypto";

import { type Message, turnText } from "../format/messages.ts";
import { canonicalJson } from "../util/hash.ts";
import type { DuplicateReport } from "./audit-report.ts";
import { createNumberColumn } from "./number-column.ts";
import type { PreferencePair } from "./preference-pair.ts";

const MAX_EXAMPLES = 10;
/** Rows named for one contradiction: two make it, more only lengthen the report. */
const MAX_EXAMPLE_ROWS = 4;

/**
 * Finds repeated and contradictory pairs from 24 bytes a pair. Contents are told apart by 51 bits of SHA-256: among 400,000
 * different ones two are taken for the same with a chance of 4 in 10^5.
 */
export function createDuplicateFinder(): {
  add(pair: PreferencePair): void;
  report(): DuplicateReport;
} {
  const rows = createNumberColumn();
  const prompts = createNumberColumn();
  const pairs = createNumberColumn();
  const ids = createIdCounter();
  return {
    add(pair) {
      ids.add(pair.id);
      const [turns, chosen, rejected] = [pair.prompt, pair.chosen, pair.rejected].map(turnsKey);
      // Another answer is right where other tools are at hand.
      const prompt = pair.context === undefined ? turns : turns + canonicalJson(pair.context);
      // Both orders of the sides share a number; its lowest bit tells them apart.
      const isSwapped = chosen! > rejected!;
      const sides = isSwapped ? `${rejected},${chosen}` : `${chosen},${rejected}`;
      rows.push(pair.row);
      prompts.push(hash51(prompt!));
      pairs.push(hash51(`${prompt},${sides}`) * 2 + (isSwapped ? 1 : 0));
    },
    report: () => ({
      ...countSharedPrompts(prompts.values()),
      ...countRepeats(pairs.values()),
      repeatedIds: ids.repeated(),
      ...findContradictions(pairs.values(), rows.values()),
    }),
  };
}

/** Counts ids that were taken: `a#2` behind `a`, see createIdAssigner. Those made of the content repeat with the pair. */
function createIdCounter(): { add(id: string): void; repeated(): number } {
  const seen = new Set<string>();
  let repeated = 0;
  return {
    add(id) {
      const base = /^(.*)#\d+$/s.exec(id)?.[1];
      if (base === undefined) seen.add(id);
      else if (seen.has(base) && !/^h-[0-9a-f]{16}$/.test(base)) repeated++;
    },
    repeated: () => repeated,
  };
}

function turnsKey(turns: readonly Message[]): string {
  return JSON.stringify(turns.map((turn) => [turn.role, turnText(turn)]));
}

function hash51(text: string): number {
  const digest = createHash("sha256").update(text, "utf8").digest();
  return digest.readUIntBE(0, 6) * 8 + (digest[6]! >> 5);
}

function countSharedPrompts(
  prompts: Float64Array,
): Pick<DuplicateReport, "sharedPromptRows" | "sharedPrompts"> {
  let sharedPromptRows = 0;
  let sharedPrompts = 0;
  for (const [start, end] of equalRuns(prompts.toSorted(), (key) => key)) {
    if (end - start === 1) continue;
    sharedPromptRows += end - start;
    sharedPrompts++;
  }
  return { sharedPromptRows, sharedPrompts };
}

function countRepeats(pairs: Float64Array): Pick<DuplicateReport, "repeatedPairs"> {
  let repeatedPairs = 0;
  for (const [start, end] of equalRuns(pairs.toSorted(), (key) => key)) {
    repeatedPairs += end - start - 1;
  }
  return { repeatedPairs };
}

function findContradictions(
  pairs: Float64Array,
  rows: Float64Array,
): Pick<DuplicateReport, "contradictions" | "contradictoryRows" | "contradictionExamples"> {
  const order = Uint32Array.from(pairs, (_, i) => i).toSorted(
    (a, b) => pairs[a]! - pairs[b]! || a - b,
  );
  const sorted = Float64Array.from(order, (i) => pairs[i]!);
  let contradictions = 0;
  let contradictoryRows = 0;
  let examples: number[][] = [];
  for (const [start, end] of equalRuns(sorted, (key) => Math.floor(key / 2))) {
    // Sorted, so a run of both orders begins with one and ends with the other.
    if (sorted[start] === sorted[end - 1]) continue;
    contradictions++;
    contradictoryRows += end - start;
    const run = order.subarray(start, end);
    const named = new Set([...run.subarray(0, MAX_EXAMPLE_ROWS - 1), run.at(-1)!]);
    examples.push([...named].map((i) => rows[i]!).toSorted((a, b) => a - b));
    if (examples.length >= 2 * MAX_EXAMPLES) examples = firstExamples(examples);
  }
  return { contradictions, contradictoryRows, contradictionExamples: firstExamples(examples) };
}

function firstExamples(examples: readonly number[][]): number[][] {
  return examples.toSorted((a, b) => a[0]! - b[0]!).slice(0, MAX_EXAMPLES);
}

/** [start, end) of each run of sorted values with equal keys. */
function* equalRuns(
  sorted: Float64Array,
  key: (value: number) => number,
): Generator<readonly [number, number]> {
  for (let start = 0; start < sorted.length;) {
    let end = start + 1;
    while (end < sorted.length && key(sorted[end]!) === key(sorted[start]!)) end++;
    yield [start, end];
    start = end;
  }
}
