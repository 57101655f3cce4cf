/** @file Labels that people gave, as a judge. */
import { ownField, type RowFields } from "../pairs/readers/file-row.ts";
import { readRows } from "../pairs/readers/read-rows.ts";
import { type Fail, readWholeRows } from "../pairs/readers/whole-rows.ts";
import { ConfigError, FormatError } from "../util/errors.ts";
import { hashValue } from "../util/hash.ts";
import { type Judge, type JudgedRollout, judgeInTurn, rolloutContent } from "./judge.ts";
import type { Label } from "./verdict.ts";

/** What a person said of a rollout, or why nothing. */
export type HumanLabel = ({ readonly label: Label } | { readonly missing: string }) & {
  /** What was labelled, see rolloutContent; absent where the file does not say. */
  readonly content?: string | undefined;
};

/** Labels by rollout id. */
export type HumanLabels = ReadonlyMap<string, HumanLabel>;

const HINT =
  'A label is {"rollout": its id, "label": "shows" or "not", "content"?}; an empty label, or "missing": cause, is none. Rows count from 0.';

/**
 * Reads labels from CSV, JSON lines, JSON or Parquet; a verdict file is one too. Throws FormatError naming file and row for another
 * label, for a rollout that is there twice, and for a row that has columns which say nothing here in place of a label, "lable" say.
 */
export async function readHumanLabels(path: string): Promise<HumanLabels> {
  const labels = new Map<string, HumanLabel>();
  let hasColumn = false;
  let unknown: FormatError | undefined;
  for await (const { fields, fail } of readWholeRows(path, { hint: HINT })) {
    const rollout = ownField(fields, "rollout") ?? ownField(fields, "id");
    if (typeof rollout !== "string" || rollout === "") throw fail("rollout: expected an id");
    if (labels.has(rollout)) throw fail("its rollout has a label in an earlier row already");
    hasColumn ||= hasLabel(fields);
    unknown ??= unknownShape(fields, fail);
    const said = readLabel(fields, fail);
    const content = ownField(fields, "content");
    const isKnown = typeof content === "string" && content !== "";
    labels.set(rollout, isKnown ? { ...said, content } : said);
  }
  if (labels.size > 0 && !hasColumn) {
    throw new FormatError(`${path}: expected a column label, got rows without one`, { hint: HINT });
  }
  if (unknown !== undefined) throw unknown;
  return labels;
}

/** Columns of rollouts and verdicts: a row of these alone may be one that nobody has labelled. */
const OTHER_COLUMNS: ReadonlySet<string> = new Set(
  "rollout id scenario variant sample prompt response finish tokens group tags content judge score reason raw cost".split(
    " ",
  ),
);

const hasLabel = (fields: RowFields): boolean =>
  ownField(fields, "missing") !== undefined || ownField(fields, "label") !== undefined;

/** An error where a row has something else in place of a label. */
function unknownShape(fields: RowFields, fail: Fail): FormatError | undefined {
  const stranger = Object.keys(fields).find((name) => !OTHER_COLUMNS.has(name));
  if (hasLabel(fields) || stranger === undefined) return undefined;
  return fail(`expected a label, got none but ${JSON.stringify(stranger.slice(0, 40))}`);
}

function readLabel(fields: RowFields, fail: Fail): HumanLabel {
  const said = toLabel(ownField(fields, "label"), fail);
  const missing = ownField(fields, "missing");
  if (typeof missing !== "string" || missing === "") return said;
  if ("label" in said) throw fail("expected either a label or a cause why it is missing, got both");
  return { missing };
}

function toLabel(value: unknown, fail: Fail): HumanLabel {
  if (value === "shows" || value === "not") return { label: value };
  if (value === undefined || value === null || value === "") return { missing: "not labelled" };
  throw fail(
    `label: expected "shows" or "not", got ${typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : `a ${typeof value}`}`,
  );
}

/** How many labels of a file say that one of these judges gave them: a judge is not to be held to itself. */
export async function labelsOfJudges(path: string, judges: ReadonlySet<string>): Promise<number> {
  let own = 0;
  for await (const row of readRows(path)) {
    const judge = row.kind === "fields" ? ownField(row.fields, "judge") : undefined;
    if (typeof judge === "string" && judges.has(judge)) own++;
  }
  return own;
}

/** Throws ConfigError where a label is of another text than what has its rollout's id; what is not known of either side passes. */
export function expectSameContent(
  rollout: string,
  { content }: Pick<HumanLabel, "content">,
  found: string | undefined,
): void {
  if (content === undefined || found === undefined || content === found) return;
  throw new ConfigError(
    `labels: expected those of the rollouts that were judged, got one of another text for ${JSON.stringify(rollout.slice(0, 80))}`,
    {
      hint: "Rollouts of two checkpoints have the same ids. Take the labels that were made from these rollouts, or review these.",
    },
  );
}

/** A judge that knows what people said; rollouts that nobody labelled are missing. */
export interface HumanJudge extends Judge {
  /** Labels of rollouts that were not among those judged so far. */
  readonly unused: () => number;
  /** Labels so far that do not say of which text they are: taken by the rollout's id alone. */
  readonly unchecked: () => number;
}

/** Makes a judge of labels. `behavior` is what `shows` means. It throws ConfigError where a label is of another text than the rollout. */
export function createHumanJudge(labels: HumanLabels, behavior: string): HumanJudge {
  const name = `human@${hashValue([...labels]).slice(0, 8)}`;
  const used = new Set<string>();
  let unchecked = 0;
  return {
    name,
    behavior,
    unused: () => labels.size - used.size,
    unchecked: () => unchecked,
    judge(rollouts, options) {
      const decide = ({ id, prompt, response }: JudgedRollout): HumanLabel => {
        const said = labels.get(id);
        if (said === undefined) return { missing: "not labelled" };
        used.add(id);
        if (said.content === undefined || prompt === undefined) unchecked++;
        else expectSameContent(id, said, rolloutContent({ prompt, response }));
        return said;
      };
      return judgeInTurn(rollouts, name, decide, options);
    },
  };
}
