import { isDeepStrictEqual } from "node:util";

import { openPairs, type PairSet, type PairWithFields } from "../pairs/open-pairs.ts";
import { ownField, type RowFields } from "../pairs/readers/file-row.ts";
import { exchangeSides, type SideColumns } from "../pairs/shapes/side-columns.ts";
import { RuntimeError } from "../util/errors.ts";
import type { JobOptions } from "../util/progress.ts";
import { type EditedPairs, swappedIds } from "./edit.ts";
import type { PairSurvey, SurveyedFile } from "./survey-pairs.ts";

/**
 * Reads an edited data set back beside its source and compares every row: the removed pairs are gone, the swapped ones have their
 * sides exchanged, all others and the unusable rows are as they were, in their order and under their ids. `paths` are the
 * written files, in the order of the source's. Returns what it opened. Throws RuntimeError at the first difference.
 */
export async function verifyEdit(
  survey: PairSurvey,
  edit: EditedPairs,
  paths: readonly string[],
  { signal }: JobOptions = {},
): Promise<PairSet> {
  const edited = await openPairs(paths, { shape: survey.pairs.shape, signal });
  const written = edited.readWithFields({ signal })[Symbol.asyncIterator]();
  const named = new Set(edit.ids);
  const swapped = new Set(swappedIds(edit));
  const files = new Map(survey.files.map((file) => [file.path, file]));
  for await (const before of survey.pairs.readWithFields({ signal })) {
    const { pair } = before;
    const isNamed = pair.kind === "pair" && named.delete(pair.id);
    const isSwapped = isNamed && swapped.has(pair.id);
    if (isNamed && !isSwapped) continue;
    const after = (await written.next()).value as PairWithFields | undefined; // undefined at the end
    const problem =
      after === undefined
        ? "nothing more"
        : compareRows(before, after, {
            sides: survey.sides,
            file: files.get(pair.file)!,
            isSwapped,
          });
    if (problem !== undefined) throw failed(`${pair.file}, row ${pair.fileRow}`, problem);
  }
  if ((await written.next()).done !== true) throw failed("after the last row", "more rows");
  if (named.size > 0) throw failed("the data", `${named.size} of the edit's pairs missing`);
  return edited;
}

/** What is wrong with a written row, or undefined. */
function compareRows(
  { pair, fields }: PairWithFields,
  after: PairWithFields,
  context: RowContext,
): string | undefined {
  if (pair.kind === "unusable") {
    const isSame = after.pair.kind === "unusable" && after.pair.reason === pair.reason;
    return isSame && isSameFields(fields, after.fields, { ...context, id: undefined })
      ? undefined
      : "another row than the unusable one";
  }
  if (after.pair.kind === "unusable") return `an unusable row (${after.pair.reason})`;
  if (after.pair.id !== pair.id) return "a row of another id";
  const sides = context.isSwapped ? [pair.rejected, pair.chosen] : [pair.chosen, pair.rejected];
  const turns = [after.pair.prompt, after.pair.chosen, after.pair.rejected];
  if (!isDeepStrictEqual(turns, [pair.prompt, ...sides])) return "other turns";
  const id = context.file.idRows.has(pair.fileRow) ? pair.id : undefined;
  return isSameFields(fields, after.fields, { ...context, id })
    ? undefined
    : "other values in its columns";
}

interface RowContext {
  readonly sides: readonly SideColumns[];
  readonly file: SurveyedFile;
  readonly isSwapped: boolean;
}

/** Whether two rows hold the same but for exchanged sides and a written id. */
function isSameFields(
  before: RowFields | undefined,
  after: RowFields | undefined,
  context: RowContext & { readonly id: string | undefined },
): boolean {
  if (before === undefined || after === undefined) return before === after;
  const { file, sides, isSwapped, id } = context;
  const without = (fields: RowFields): RowFields =>
    Object.fromEntries(Object.entries(fields).filter(([name]) => name !== file.idColumn));
  const expected = isSwapped ? exchangeSides(before, sides) : before;
  if (!isDeepStrictEqual(without(after), without(expected))) return false;
  if (file.idColumn === undefined) return true;
  const [old, written] = [before, after].map((fields) => ownField(fields, file.idColumn!));
  if (id !== undefined) return written === id;
  // A new column is empty where no id is written, and numbers become text beside written ids.
  return isBlank(old)
    ? isBlank(written)
    : isDeepStrictEqual(written, old) || written === `${old as number}`;
}

function isBlank(value: unknown): boolean {
  return value === undefined || value === null || value === "";
}

function failed(where: string, got: string): RuntimeError {
  return new RuntimeError(
    `${where}: expected the edited data to hold this row as the edit leaves it, got ${got}; nothing was written`,
    {
      hint: "This is a fault of the program or of the disk, or the data changed meanwhile: please report it.",
    },
  );
}
