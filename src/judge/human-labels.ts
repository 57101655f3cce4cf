/** @file Labels that people gave, as a judge. */
import { ownField } from "../data/readers/file-row.ts";
import { readRows } from "../data/readers/read-rows.ts";
import { FormatError } from "../util/errors.ts";
import { hashValue } from "../util/hash.ts";
import { type Judge, type JudgedRollout, judgeInTurn } from "./judge.ts";
import type { Label } from "./verdict.ts";

/** What a person said of a rollout, or why nothing. */
export type HumanLabel = { readonly label: Label } | { readonly missing: string };

/** Labels by rollout id. */
export type HumanLabels = ReadonlyMap<string, HumanLabel>;

const HINT =
  'A label is {"rollout": its id, "label": "shows" or "not"}; an empty label, or "missing": cause, is none. Rows count from 0.';

/**
 * Reads labels from CSV, JSON lines, JSON or Parquet; a verdict file is one too. Throws FormatError naming file and row for another
 * label and for a rollout that is there twice.
 */
export async function readHumanLabels(path: string): Promise<HumanLabels> {
  const labels = new Map<string, HumanLabel>();
  let hasColumn = false;
  for await (const row of readRows(path)) {
    const fail = (detail: string): FormatError =>
      new FormatError(`${path}, row ${row.fileRow}: ${detail}`, { hint: HINT });
    if (row.kind === "broken") throw fail(row.detail);
    const rollout = ownField(row.fields, "rollout") ?? ownField(row.fields, "id");
    if (typeof rollout !== "string" || rollout === "") throw fail("rollout: expected an id");
    if (labels.has(rollout)) throw fail("its rollout has a label in an earlier row already");
    const missing = ownField(row.fields, "missing");
    hasColumn ||= missing !== undefined || ownField(row.fields, "label") !== undefined;
    labels.set(
      rollout,
      typeof missing === "string" && missing !== ""
        ? { missing }
        : toLabel(ownField(row.fields, "label"), fail),
    );
  }
  if (labels.size > 0 && !hasColumn) {
    throw new FormatError(`${path}: expected a column label, got rows without one`, { hint: HINT });
  }
  return labels;
}

function toLabel(value: unknown, fail: (detail: string) => FormatError): HumanLabel {
  if (value === "shows" || value === "not") return { label: value };
  if (value === undefined || value === null || value === "") return { missing: "not labelled" };
  throw fail(
    `label: expected "shows" or "not", got ${typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : `a ${typeof value}`}`,
  );
}

/** A judge that knows what people said; rollouts that nobody labelled are missing. */
export interface HumanJudge extends Judge {
  /** Labels of rollouts that were not among those judged so far. */
  readonly unused: () => number;
}

/** Makes a judge of labels. `behavior` is what `shows` means. */
export function createHumanJudge(labels: HumanLabels, behavior: string): HumanJudge {
  const name = `human@${hashValue([...labels]).slice(0, 8)}`;
  const used = new Set<string>();
  return {
    name,
    behavior,
    unused: () => labels.size - used.size,
    judge(rollouts, options) {
      const decide = ({ id }: JudgedRollout): HumanLabel => {
        const said = labels.get(id);
        if (said !== undefined) used.add(id);
        return said ?? { missing: "not labelled" };
      };
      return judgeInTurn(rollouts, name, decide, options);
    },
  };
}
