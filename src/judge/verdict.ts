/** @file Verdicts: what a judge says of a rollout, or why it says nothing. */
import { ownField, type RowFields } from "../pairs/readers/file-row.ts";
import { type Fail, readWholeRows } from "../pairs/readers/whole-rows.ts";
import { kindOf } from "../pairs/shapes/kind-of.ts";
import { fileArtifact } from "../util/artifact.ts";
import { writeJsonLines } from "../util/atomic-file.ts";

/** Which rollout a verdict is about, and whose it is. */
export interface VerdictPlace {
  /** The rollout's id. */
  readonly rollout: string;
  readonly scenario: string;
  readonly variant: string;
  /** Number of the rollout within scenario and variant, from 0. */
  readonly sample: number;
  /** The rollout's; absent where the request is not known. */
  readonly group?: string | undefined;
  /** What was judged, see rolloutContent; absent where nobody noted it. */
  readonly content?: string | undefined;
  /** The judge's name with the hash of its rules or rubric. */
  readonly judge?: string | undefined;
}

/** `shows`: the response shows the behaviour that was judged; `not`: it does not. */
export const LABELS = ["shows", "not"] as const;
export type Label = (typeof LABELS)[number];

/** A rollout that was judged. */
export interface GivenVerdict extends VerdictPlace {
  readonly label: Label;
  /** 0 to 100, from judges that grade. */
  readonly score?: number | undefined;
  readonly reason?: string | undefined;
  /** The judge's own words. */
  readonly raw?: string | undefined;
  /** In the currency of the judge's price list. */
  readonly cost?: number | undefined;
}

/** A rollout without a verdict: part of no rate, counted in every table. */
export interface MissingVerdict extends VerdictPlace {
  /** Why: "empty response", "no rule applies", … */
  readonly missing: string;
  readonly raw?: string | undefined;
  readonly cost?: number | undefined;
}

export type Verdict = GivenVerdict | MissingVerdict;

/** Whether a verdict is missing. */
export function isMissing(verdict: Verdict): verdict is MissingVerdict {
  return "missing" in verdict;
}

const HINT =
  'A verdict is {"rollout", "scenario", "variant", "sample", "label": "shows" or "not", "group"?, "content"?}, or has "missing": cause instead of the label; rows count from 0.';

/**
 * Reads a verdict file (JSON lines, JSON, CSV or Parquet) into memory. Throws FormatError naming file and row for a row that is
 * broken or incomplete, or judges a rollout that an earlier one judged.
 */
export async function readVerdicts(path: string): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  const rowOf = new Map<string, number>();
  const rows = readWholeRows(path, { hint: HINT, kind: "verdicts" });
  for await (const { fields, fileRow, fail } of rows) {
    const verdict = readVerdict(fields, fail);
    const earlier = rowOf.get(verdict.rollout);
    if (earlier !== undefined) {
      throw fail(`rollout "${verdict.rollout}" has a verdict in row ${earlier} already`);
    }
    rowOf.set(verdict.rollout, fileRow);
    verdicts.push(verdict);
  }
  return verdicts;
}

/** Writes verdicts as JSON lines, whole or not at all, in the order given. */
export const writeVerdicts = (
  path: string,
  verdicts: Iterable<Verdict> | AsyncIterable<Verdict>,
): Promise<void> => writeJsonLines(path, verdicts);

function readVerdict(fields: RowFields, fail: Fail): Verdict {
  const scenario = readName(fields, "scenario", fail);
  const variant = readName(fields, "variant", fail);
  const sample = ownField(fields, "sample");
  if (typeof sample !== "number" || !Number.isSafeInteger(sample) || sample < 0) {
    throw fail("sample: expected a whole number from 0");
  }
  const rollout = readName(fields, "rollout", fail);
  const rest = {
    group: readGroup(fields, fail),
    content: readText(fields, "content", fail),
    judge: readText(fields, "judge", fail),
    raw: readText(fields, "raw", fail),
    cost: readNumber(fields, "cost", fail),
  };
  const place = { rollout, scenario, variant, sample, ...rest };
  const label = readText(fields, "label", fail);
  const missing = readText(fields, "missing", fail);
  if ((label === undefined) === (missing === undefined)) {
    throw fail("expected either a label or a cause why it is missing");
  }
  if (missing !== undefined) return { ...place, missing };
  if (label !== "shows" && label !== "not") throw fail('label: expected "shows" or "not"');
  return {
    ...place,
    label,
    score: readNumber(fields, "score", fail),
    reason: readText(fields, "reason", fail),
  };
}

function readName(fields: RowFields, name: string, fail: Fail): string {
  const value = ownField(fields, name);
  if (typeof value === "number") return String(value);
  if (typeof value === "string" && value !== "") return value;
  throw fail(`${name}: expected a name, got ${kindOf(value)}`);
}

function readGroup(fields: RowFields, fail: Fail): string | undefined {
  const value = ownField(fields, "group");
  return typeof value === "number" ? String(value) : readText(fields, "group", fail);
}

function readText(fields: RowFields, name: string, fail: Fail): string | undefined {
  const value = ownField(fields, name);
  // CSV and Parquet write an absent value as an empty one.
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "string") return value;
  throw fail(`${name}: expected text`);
}

function readNumber(fields: RowFields, name: string, fail: Fail): number | undefined {
  const value = ownField(fields, name);
  if (value === undefined || value === null || value === "") return undefined;
  const number = typeof value === "string" ? Number(value) : value;
  if (typeof number === "number" && Number.isFinite(number)) return number;
  throw fail(`${name}: expected a number`);
}

/** What a judge said of rollouts; writeVerdicts writes it. */
export const VERDICTS = fileArtifact("verdicts.jsonl", readVerdicts);
