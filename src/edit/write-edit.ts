import { mkdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { rewriteFile } from "../pairs/writers/rewrite-file.ts";
import type { RowEdit } from "../pairs/writers/row-edit.ts";
import type { Ranking } from "../ranking/ranking-file.ts";
import { describeWriteError, writeFileAtomic } from "../util/atomic-file.ts";
import { UnsupportedError } from "../util/errors.ts";
import type { JobOptions } from "../util/progress.ts";
import { createEditManifest, EDIT_MANIFEST, type EditManifest, idLines } from "./edit-manifest.ts";
import { type EditPaths, planEditPaths } from "./edit-paths.ts";
import { type Edit, swappedIds } from "./edit.ts";
import type { PairSurvey } from "./survey-pairs.ts";
import { verifyEdit } from "./verify-edit.ts";

export interface WriteEditOptions extends JobOptions {
  /** A folder, or a file for a data set of one file; see planEditPaths. */
  readonly out: string;
  /** Replaces what is there; default false. */
  readonly force?: boolean | undefined;
  /** Named in the manifest. */
  readonly ranking?: Ranking | undefined;
}

/** What was written. */
export interface WrittenEdit {
  readonly manifest: EditManifest;
  readonly paths: EditPaths;
  /** The data files, in the order of the source's. */
  readonly files: readonly string[];
}

/**
 * Writes the edited data set in its own format with the ids kept, `<out>.ids.jsonl` and `<out>.manifest.json`. Everything is
 * made in a hidden folder beside `out`, read back and compared there, and moved in one step: a killed run leaves at most that
 * folder, which the next run removes. Throws ConfigError for a taken `out`, RuntimeError where the check fails, UnsupportedError for a swap that cannot
 * reach what belongs to a side.
 */
export async function writeEdit(
  survey: PairSurvey,
  edit: Edit,
  options: WriteEditOptions,
): Promise<WrittenEdit> {
  const [nested] = swappedIds(edit).length > 0 ? survey.nestedSides : [];
  if (nested !== undefined) {
    throw new UnsupportedError(
      `edit: expected what belongs to a side in columns of its own, got some inside "${nested}", which a swap would have to exchange`,
      { hint: "Move it into columns like chosen_model and rejected_model, or train with --edit." },
    );
  }
  const sources = survey.files.map(({ path }) => path);
  const paths = planEditPaths(sources, options.out, options.force);
  const work = join(dirname(paths.out), `.${basename(paths.out)}.culprit-edit`);
  await rm(work, { recursive: true, force: true });
  try {
    const written = await writeFiles(survey, edit, { paths, work, options });
    const checked = await verifyEdit(survey, edit, written, options);
    const manifest = createEditManifest({
      survey,
      edit,
      ranking: options.ranking,
      idsFile: basename(paths.ids),
      files: survey.pairs.files.map(({ path, sha256 }, i) => {
        const outSha256 = checked.files[i]!.sha256;
        return { path, sha256, out: paths.names[i]!, outSha256 };
      }),
    });
    await commit(paths, work, { manifest, ids: edit.ids });
    const { out, names, isFolder } = paths;
    return { manifest, paths, files: isFolder ? names.map((name) => join(out, name)) : [out] };
  } catch (error) {
    throw describeWriteError(paths.out, error);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function writeFiles(
  survey: PairSurvey,
  edit: Edit,
  to: { readonly paths: EditPaths; readonly work: string; readonly options: WriteEditOptions },
): Promise<string[]> {
  const { signal, progress } = to.options;
  const written: string[] = [];
  const named = new Set(edit.ids);
  const swapped = new Set(swappedIds(edit));
  for (const [i, { path, firstRow, rows, idColumn, idRows }] of survey.files.entries()) {
    const target = join(to.work, "data", to.paths.names[i]!);
    await mkdir(dirname(target), { recursive: true });
    const editOf = (fileRow: number): RowEdit => {
      const done = firstRow + fileRow + 1;
      if (done % 1000 === 0) progress?.update(done, survey.ids.length);
      // Rows past a limit are not part of the data set.
      if (fileRow >= rows) return { kind: "drop" };
      const id = survey.ids[firstRow + fileRow];
      const isNamed = id !== undefined && named.has(id);
      const isSwapped = isNamed && swapped.has(id);
      if (isNamed && !isSwapped) return { kind: "drop" };
      return { kind: "keep", id: idRows.has(fileRow) ? id : undefined, isSwapped };
    };
    // Where no row is swapped no column has to hold another one's values, so all keep their types.
    const sides = swapped.size > 0 ? survey.sides : [];
    await rewriteFile(path, target, { editOf, idColumn, sides }, { signal, rows });
    written.push(target);
  }
  return written;
}

/** Moves the finished files to their places; the manifest comes last, so it never stands beside other data. */
async function commit(
  paths: EditPaths,
  work: string,
  { manifest, ids }: { readonly manifest: EditManifest; readonly ids: readonly string[] },
): Promise<void> {
  await rm(paths.manifest, { force: true });
  const data = join(work, "data");
  if (paths.isFolder) {
    // A folder cannot be replaced in one step: the old one is moved aside first.
    await rename(paths.out, join(work, "old")).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    });
    await rename(data, paths.out);
  } else {
    await rename(join(data, paths.names[0]!), paths.out);
  }
  await writeFileAtomic(paths.ids, idLines(ids));
  await EDIT_MANIFEST.write(paths.manifest, manifest);
}
